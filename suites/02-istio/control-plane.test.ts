import { readFile, writeFile } from 'node:fs/promises';
import { expect } from 'vitest';
import { ours } from '#lib/base/deadlines.ts';
import { claims } from '#lib/claims/claim.ts';
import { change } from '#lib/kube/manifest.ts';
import { gatewayAddresses } from '#lib/layers/gateway.ts';
import { versionBeforeInstall } from '#lib/layers/istio.ts';
import { otherMeshConfig } from '#lib/layers/other-mesh-config.ts';
import { patched, without } from '#lib/layers/passing.ts';
import { standInPod } from '#lib/layers/stand-in-pods.ts';
import { debugPage, meshSettings } from '#lib/probes/istiod.ts';
import { podsOf } from '#lib/probes/pods.ts';
import { serviceOf, servicesOf } from '#lib/probes/services.ts';

const claim = claims('02-istio', { layer: 'istio' });

claim('istio.version-before-install', {
  requires: ['own-mesh'],
  async proof(lab, seen) {
    const { istioNamespace, istioVersion } = lab.settings;
    const nothing = new RegExp(`no (ready|running) Istio pods in( namespace)? "${istioNamespace}"`);
    const linesOf = (said: string): string[] =>
      said
        .trim()
        .split('\n')
        .map((line) => line.replace(/^client version: /, ''));

    const before = seen('before the installation', await readFile(versionBeforeInstall(lab), 'utf8'));
    expect(before).toMatch(nothing);
    expect(linesOf(before)).toContain(istioVersion);
    expect(before).not.toMatch(/(control|data) plane/);

    const { stdout, stderr } = await lab.istioctl(['version', '--istioNamespace', istioNamespace]);
    const now = seen('once istiod is there', stdout + stderr);
    expect(now).not.toMatch(nothing);
    expect(now).toContain(`control plane version: ${istioVersion}`);
  },

  async falsifier(lab) {
    const file = versionBeforeInstall(lab);
    const before = await readFile(file, 'utf8');
    await writeFile(file, (await lab.istioctl(['version'])).stdout);
    return change('istioctl version asked after the installation', async () => writeFile(file, before));
  },
  red: /expected 'client version: .* to match \/no \(ready\|running\) Istio pods/s,
});

claim('istio.revision-derivation', {
  requires: ['own-mesh'],
  async proof({ kube, settings }, seen) {
    const { istioNamespace: namespace, istioVersion, istioRevision } = settings;
    const kinds = {
      Deployment: await kube.list('apps/v1', 'Deployment', namespace, 'app=istiod'),
      Service: await kube.list('v1', 'Service', namespace, 'app=istiod'),
      ConfigMap: await kube.list('v1', 'ConfigMap', namespace, 'istio.io/rev'),
      MutatingWebhookConfiguration: await kube.list(
        'admissionregistration.k8s.io/v1',
        'MutatingWebhookConfiguration',
        undefined,
        'istio.io/rev',
      ),
      ValidatingWebhookConfiguration: await kube.list(
        'admissionregistration.k8s.io/v1',
        'ValidatingWebhookConfiguration',
        undefined,
        'istio.io/rev',
      ),
    };
    const objects = Object.entries(kinds).flatMap(([kind, found]) =>
      found.map(({ metadata }) => ({
        name: `${kind} ${metadata?.name ?? ''}`,
        revision: metadata?.labels?.['istio.io/rev'],
      })),
    );
    seen('the objects of a revision', objects);

    expect(istioRevision).toBe(istioVersion.replaceAll('.', '-'));
    expect(objects.map(({ name }) => name)).toEqual(
      expect.arrayContaining([
        `Deployment istiod-${istioRevision}`,
        `Service istiod-${istioRevision}`,
        `ConfigMap istio-${istioRevision}`,
        `ConfigMap istio-sidecar-injector-${istioRevision}`,
        `MutatingWebhookConfiguration istio-sidecar-injector-${istioRevision}`,
        `ValidatingWebhookConfiguration istio-validator-${istioRevision}-${namespace}`,
      ]),
    );
    expect(objects.filter(({ revision }) => revision !== istioRevision)).toEqual([]);
  },

  async falsifier(lab) {
    const { istioNamespace: namespace, istioRevision } = lab.settings;
    const labelled = (revision: string) => ({ metadata: { labels: { 'istio.io/rev': revision } } });
    const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: `istio-${istioRevision}` };
    const [there, back] = [labelled('default'), labelled(istioRevision)];
    return patched(lab, 'an object of the revision that says default', { ref, there, back });
  },
  red: /name: 'ConfigMap istio-[\w-]+', revision: 'default'/,
});

claim('istio.revisioned-service', {
  witness: true,
  async proof({ kube, settings }, seen) {
    const service = seen(
      'the service',
      await serviceOf(kube, settings.istioNamespace, `istiod-${settings.istioRevision}`),
    );

    expect(service).toMatchObject({
      type: 'ClusterIP',
      addresses: [],
      ports: ['443->15017/TCP', '15010->15010/TCP', '15012->15012/TCP', '15014->15014/TCP'],
    });
    expect(service.clusterIp).toMatch(/^\d+(\.\d+){3}$/);
  },

  async falsifier(lab) {
    const { istioNamespace: namespace, istioRevision } = lab.settings;
    const ref = { apiVersion: 'v1', kind: 'Service', namespace, name: `istiod-${istioRevision}` };
    const [there, back] = [{ spec: { type: 'LoadBalancer' } }, { spec: { type: 'ClusterIP' } }];
    return patched(lab, 'the control plane as a LoadBalancer', { ref, there, back });
  },
  red: /name: 'istiod-[\w-]+'.*type: 'LoadBalancer'/s,
});

const tagService = 'istiod-revision-tag-default';

claim('istio.install-service-list', {
  requires: ['own-mesh'],
  async proof({ kube, settings }, seen) {
    const { istioNamespace, istioRevision, istioVersion } = settings;
    // what this installation made; the gateway for the VMs is another one's
    const labels = 'install.operator.istio.io/owning-resource=istio';
    const all = await servicesOf(kube, istioNamespace);
    const services = seen('the services', await servicesOf(kube, istioNamespace, labels));
    const names = services
      .map(({ name }) => name)
      .filter((name) => name !== tagService)
      .toSorted();

    expect(names, `the services: ${names.join(', ')}`).toEqual([
      'istio-ingressgateway',
      `istiod-${istioRevision}`,
    ]);
    // from 1.28 on the default tag is a service too
    expect(all.some(({ name }) => name === tagService)).toBe(istioVersion === 'master');
    expect(services.find(({ name }) => name === 'istio-ingressgateway')).toMatchObject({
      type: 'LoadBalancer',
      numbers: [80, 443, 15021],
    });
  },

  async falsifier(lab) {
    const name = 'istio-ingressgateway';
    const ref = { apiVersion: 'v1', kind: 'Service', namespace: lab.settings.istioNamespace, name };
    const gone = await without(lab, ref);
    return change('no ingress gateway, as with the component off', async () => {
      await gone.undo();
      await gatewayAddresses(lab, ours.serviceAddress, name);
    });
  },
  red: /the services: istiod-[\w-]+: expected/,
});

const tag = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingWebhookConfiguration',
  name: 'istio-revision-tag-default',
};

claim('istio.default-tag', {
  requires: ['own-mesh'],
  async proof({ kube, istioctl, settings }, seen) {
    const { istioNamespace, istioRevision, istioVersion } = settings;
    const { stdout } = await istioctl(['tag', 'list', `--istioNamespace=${istioNamespace}`]);
    const rows = seen('istioctl tag list', stdout)
      .trimEnd()
      .split('\n')
      .map((line) => line.trim().split(/\s+/));
    const labels = seen('the labels of the tag', (await kube.get(tag))?.metadata?.labels);

    if (istioVersion === '1.24.0') {
      // it takes the webhook that it has just made for that of an earlier installation, see the catalogue
      expect(rows).toEqual([['TAG', 'REVISION', 'NAMESPACES'], [istioRevision]]);
      expect(labels).toBeUndefined();
      return;
    }
    expect(rows).toEqual([
      ['TAG', 'REVISION', 'NAMESPACES'],
      ['default', istioRevision],
    ]);
    expect(labels).toMatchObject({ 'istio.io/tag': 'default', 'istio.io/rev': istioRevision });
  },

  falsifier: async (lab) => {
    if (lab.settings.istioVersion !== '1.24.0') return without(lab, tag);
    await lab.istioctl(['tag', 'set', 'default', '--revision', lab.settings.istioRevision]);
    return change('a tag made by hand', async () => lab.kube.remove(tag));
  },
  red: /\[ 'TAG', 'REVISION', 'NAMESPACES' \]/,
});

claim('istio.mesh-identity', {
  requires: ['own-mesh'],
  falsifier: async (lab) => otherMeshConfig(lab, 'a mesh of another name', { meshId: 'elsewhere' }),
  red: /meshId: 'elsewhere'/,

  async proof(lab, seen) {
    const { meshId, clusterName, clusterNetwork, istioNamespace, istioRevision } = lab.settings;
    const { mesh, values } = await meshSettings(lab);
    const [istiod] = await podsOf(lab.kube, istioNamespace, `app=istiod,istio.io/rev=${istioRevision}`);
    const clusters = await debugPage<{ id: string }[]>(lab, '/debug/clusterz');
    const identity = seen('the identity of the mesh', {
      meshId: mesh.defaultConfig?.meshId,
      injected: { clusterName: values.global?.multiCluster?.clusterName, network: values.global?.network },
      istiod: istiod?.env['CLUSTER_ID'],
      watched: clusters.map(({ id }) => id),
      namespace: istiod?.namespace,
    });

    expect(identity).toEqual({
      meshId,
      injected: { clusterName, network: clusterNetwork },
      istiod: clusterName,
      watched: [clusterName],
      namespace: istioNamespace,
    });
  },
});

claim('istio.autoregistration-enabled', {
  falsifier: async (lab) =>
    standInPod(lab, {
      name: 'without-autoregistration',
      namespace: lab.settings.istioNamespace,
      labels: { app: 'istiod', 'istio.io/rev': lab.settings.istioRevision },
      env: {
        PILOT_ENABLE_WORKLOAD_ENTRY_AUTOREGISTRATION: 'false',
        PILOT_ENABLE_WORKLOAD_ENTRY_HEALTHCHECKS: 'true',
      },
    }),
  red: /AUTOREGISTRATION: 'false'/,
  witness: true,

  async proof({ kube, settings }, seen) {
    const labels = `app=istiod,istio.io/rev=${settings.istioRevision}`;
    const pods = await podsOf(kube, settings.istioNamespace, labels);
    const env = seen(
      'the environment of istiod',
      pods.map((one) => one.env),
    );

    expect(env.length).toBeGreaterThan(0);
    for (const one of env) {
      expect(one).toMatchObject({
        PILOT_ENABLE_WORKLOAD_ENTRY_AUTOREGISTRATION: 'true',
        PILOT_ENABLE_WORKLOAD_ENTRY_HEALTHCHECKS: 'true',
      });
    }
  },
});
