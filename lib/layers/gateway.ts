import { inWholeSeconds, type Within } from '#lib/base/deadline.ts';
import { ours } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import { bystander } from '#lib/probes/bystander.ts';
import type { Lab } from './lab.ts';
import type { Layer } from './layer.ts';
import { allThere } from '#lib/kube/manifest.ts';
import { deployment, install } from './istio.ts';

/** The east-west gateway beside the default one, istiod exposed through it, and the cross-network gateway. */
export const gateway: Layer = {
  name: 'gateway',
  needs: ['istio'],
  title: 'East-west gateway',
  expectedMs: 8000,

  async up(lab) {
    const { kube, settings } = lab;
    if (!lab.features.has('own-mesh')) {
      await gatewayAddresses(lab);
      await istiodAnswers(lab);
      return;
    }
    await install(lab, 'eastwest', ['02-istio/eastwest-gateway.yaml', '02-istio/local-images.yaml']);
    for (const document of lab.manifest('02-istio/expose-istiod.yaml')) await kube.apply(document);
    await kube.patch(
      { apiVersion: 'v1', kind: 'Namespace', name: settings.istioNamespace },
      { metadata: { labels: { 'topology.istio.io/network': settings.clusterNetwork } } },
    );
    await gatewayAddresses(lab);
    await istiodAnswers(lab);
  },

  async check(lab) {
    await allThere(lab.kube, [
      deployment(lab, 'istio-eastwestgateway'),
      ...lab.manifest('02-istio/expose-istiod.yaml'),
    ]);
  },

  async down({ kube, settings, manifest }) {
    const namespace = settings.istioNamespace;
    for (const document of manifest('02-istio/expose-istiod.yaml')) {
      const { apiVersion = '', kind = '', metadata } = document;
      await kube.remove({ apiVersion, kind, name: metadata?.name ?? '', namespace });
    }
    await kube.remove({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      name: 'istio-eastwestgateway',
      namespace,
    });
    await kube.remove({ apiVersion: 'v1', kind: 'Service', name: 'istio-eastwestgateway', namespace });
  },
};

/** The addresses that the load balancer gave to a gateway's service, in its order. */
export async function gatewayAddresses(
  lab: Lab,
  within: Within = ours.gatewayUp,
  service = 'istio-eastwestgateway',
): Promise<string[]> {
  return until(
    `service ${service} has an external address`,
    async () => externalAddresses(lab, service),
    (addresses) => addresses.length > 0,
    { within, every: 100 },
  );
}

export async function externalAddresses(lab: Lab, service: string): Promise<string[]> {
  const namespace = lab.settings.istioNamespace;
  const found = await lab.kube.get({ apiVersion: 'v1', kind: 'Service', name: service, namespace });
  const { ingress = [] } = (found?.status?.['loadBalancer'] ?? {}) as { ingress?: { ip: string }[] };
  return ingress.map(({ ip }) => ip);
}

/** The gateway has its configuration when istiod's own certificate comes back through it. */
async function istiodAnswers(lab: Lab): Promise<void> {
  const { settings } = lab;
  const name = `istiod-${settings.istioRevision}.${settings.istioNamespace}.svc`;
  const [address = ''] = await gatewayAddresses(lab);
  const outside = lab.features.has('bystander');
  const from = outside ? bystander(lab) : lab.vm;
  await until(
    `istiod answers through the gateway at ${address}:${String(settings.ports.ewg.istiod)}`,
    async () => {
      const words = [
        'openssl',
        's_client',
        '-connect',
        `${address}:${String(settings.ports.ewg.istiod)}`,
        '-servername',
        name,
      ];
      // a gateway that listens before it knows istiod takes the connection and keeps silent
      const { stdout } = await from.attempt([
        'timeout',
        inWholeSeconds(outside ? ours.gatewaySilent : ours.readyAnswer),
        ...words,
      ]);
      return /subject=(.*)/.exec(stdout)?.[0] ?? stdout.slice(0, 200);
    },
    (seen) => seen.startsWith('subject='),
    { within: ours.gatewayUp, every: 200 },
  );
}
