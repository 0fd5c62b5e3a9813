import { ours } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import type { Resource } from '#lib/kube/client.ts';
import { allThere } from '#lib/kube/manifest.ts';
import { bothDirections } from './directions.ts';
import { healthBecomes } from './health.ts';
import { startHttpServer } from './http-server.ts';
import type { Lab } from './lab.ts';
import type { Layer } from './layer.ts';
import { movedTo } from './passing.ts';
import { builtInThisBoot, sameBoot } from './this-boot.ts';

/** helloworld v1 and v2, the curl pods, and external-app on the VM behind its service. */
export const apps: Layer = {
  name: 'apps',
  needs: ['workload'],
  // not beside the gateway, which the VM waits for
  startsAfter: ['gateway'],
  title: 'Applications: helloworld, curl, external-app',
  expectedMs: 15_000,

  async up(lab) {
    await Promise.all([deployApps(lab), startHttpServer(lab)]);
    await podsReady(lab);
    // until the VM has said that it is healthy nothing is sent to it, so asking would only take its time
    // a VM that nobody prepared has never run what it starts
    await healthBecomes(lab, 'True', lab.features.has('own-vm') ? ours.healthyFirst : ours.healthyOnBorrowed);
    await until(
      '200 in both directions',
      async () => bothDirections(lab, 1),
      ({ vmToMesh, meshToVm }) => vmToMesh['200'] === 1 && meshToVm['200'] === 1,
      { within: ours.bothDirections, every: 200 },
    );
    await builtInThisBoot(lab, 'apps');
  },

  async check(lab) {
    await sameBoot(lab, 'apps');
    await allThere(lab.kube, appsDocuments(lab));
  },

  async down({ kube }) {
    await kube.remove({ apiVersion: 'v1', kind: 'Namespace', name: 'sample' });
    await kube.remove({ apiVersion: 'v1', kind: 'Namespace', name: 'outside' });
  },
};

/** Applies the manifests of the apps; waits for nothing. */
export async function deployApps(lab: Lab): Promise<void> {
  for (const document of appsDocuments(lab)) await lab.kube.apply(document);
}

function appsDocuments({ manifest, features, settings }: Lab): Resource[] {
  const namespace = manifest('03-vm/workload-group.yaml').filter(({ kind }) => kind === 'Namespace');
  const files = ['helloworld', 'clients', 'route-to-vm'];
  const logs = manifest('04-traffic/access-logs.yaml');
  // what is said in Istio's own namespace holds for all of a mesh, which may be somebody else's
  const own = features.has('own-mesh')
    ? logs
    : [settings.vmNamespace, 'sample'].flatMap((one) => movedTo(one, logs));
  return [...namespace, ...files.flatMap((file) => manifest(`04-traffic/${file}.yaml`)), ...own];
}

/** Waits until all pods of the apps are ready. */
async function podsReady({ kube }: Lab): Promise<void> {
  await until(
    'the pods of namespaces sample and outside are ready',
    async () =>
      (await Promise.all(['sample', 'outside'].map(async (namespace) => kube.list('v1', 'Pod', namespace))))
        .flat()
        .map((pod) => {
          const conditions = (pod.status?.['conditions'] ?? []) as { type: string; status: string }[];
          return `${pod.metadata?.name ?? ''} ${conditions.find(({ type }) => type === 'Ready')?.status ?? 'Unknown'}`;
        }),
    (pods) => pods.length >= 4 && pods.every((pod) => pod.endsWith(' True')),
    { within: ours.podsReady, every: 200 },
  );
}
