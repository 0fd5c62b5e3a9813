import { expect } from 'vitest';
import { ours } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import { claims } from '#lib/claims/claim.ts';
import type { Resource } from '#lib/kube/client.ts';
import { applying } from '#lib/kube/manifest.ts';
import { loadBalancer, withoutLoadBalancer } from '#lib/layers/load-balancer.ts';
import { bystander } from '#lib/probes/bystander.ts';
import { get, outcomeOf } from '#lib/probes/http.ts';
import { nodesOf } from '#lib/probes/nodes.ts';
import { serviceOf, servicesOf } from '#lib/probes/services.ts';
import { connecting } from '#lib/probes/tcp.ts';

const claim = claims('01-cluster', { layer: 'cluster' });

const web = [80, 443];

const traefik: Resource = {
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'traefik', namespace: 'kube-system' },
  spec: {
    replicas: 0,
    selector: { matchLabels: { app: 'traefik' } },
    template: {
      metadata: { labels: { app: 'traefik' } },
      spec: { containers: [{ name: 'traefik', image: 'traefik' }] },
    },
  },
};

claim('cluster.traefik-disabled', {
  requires: ['own-cluster'],
  async proof(lab, seen) {
    const { kube, settings } = lab;
    const { groups } = JSON.parse(await kube.raw('/apis')) as { groups: { name: string }[] };
    const found = await Promise.all([
      kube.list('apps/v1', 'Deployment'),
      kube.list('apps/v1', 'DaemonSet'),
      kube.list('networking.k8s.io/v1', 'IngressClass'),
      kube.list('v1', 'Service'),
      ...(groups.some(({ name }) => name === 'helm.cattle.io')
        ? [kube.list('helm.cattle.io/v1', 'HelmChart')]
        : []),
    ]);
    const names = found.flat().map(({ metadata }) => metadata?.name ?? '');
    expect(
      seen('deployments, daemon sets, ingress classes, services, charts', names).filter((name) =>
        /traefik/i.test(name),
      ),
    ).toEqual([]);

    const balanced = (await servicesOf(kube)).filter(({ type }) => type === 'LoadBalancer');
    const holders = balanced.filter(({ numbers }) => web.some((port) => numbers.includes(port)));
    const ingress = `${settings.istioNamespace}/istio-ingressgateway`;
    const others = holders
      .map(({ namespace, name }) => `${namespace}/${name}`)
      .filter((name) => name !== ingress);
    expect(seen('who but the ingress gateway holds port 80 or 443', others)).toEqual([]);

    if (holders.length > 0) return;
    const asked = (await nodesOf(kube)).flatMap(({ address }) => web.map((port) => [address, port] as const));
    const free = await Promise.all(
      asked.map(async ([address, port]) => connecting(bystander(lab), address, port)),
    );
    expect(seen('ports 80 and 443 of the nodes', free)).toEqual(asked.map(() => 'connection refused'));
  },

  falsifier: async ({ kube }) => applying(kube, [traefik]),
  red: /expected \[ 'traefik' \] to deeply equal \[\]/,
});

const probe = { namespace: 'kube-system', name: 'load-balancer-probe' };

claim('cluster.servicelb-klipper-on', {
  requires: ['klipper'],
  // the cluster's DNS has a page to show, and it is there before anything else
  given: async ({ kube }) =>
    applying(kube, [loadBalancer({ ...probe, ports: { 18181: 8181 }, selector: { 'k8s-app': 'kube-dns' } })]),
  falsifier: async (lab) => withoutLoadBalancer(lab, probe),
  red: /the probe service has an external address.*addresses: \[\]/s,

  async proof(lab, seen) {
    const { addresses } = await until(
      'the probe service has an external address',
      async () => serviceOf(lab.kube, probe.namespace, probe.name),
      (service) => service.addresses.length > 0,
      { within: ours.serviceAddress, every: 50 },
    );
    const nodes = (await nodesOf(lab.kube)).map(({ address }) => address);
    expect(seen('the external addresses', addresses).toSorted()).toEqual(nodes.toSorted());

    // the nodes learn of the addresses as we do, and make their rules for them
    const answers = await until(
      'the service answers at each of its addresses',
      async () =>
        Promise.all(
          addresses.map(async (address) =>
            outcomeOf(await get(bystander(lab), `http://${address}:18181/ready`)),
          ),
        ),
      (outcomes) => outcomes.every((outcome) => outcome === '200'),
      { within: ours.serverAnswers, every: 100 },
    );
    expect(seen('the answers at these addresses', answers)).toEqual(addresses.map(() => '200'));

    // Klipper itself shows as a pod on each node; what stands for it elsewhere does not
    if (!lab.features.has('k3s')) return;
    const sets = (await lab.kube.list('apps/v1', 'DaemonSet', 'kube-system')).map(
      ({ metadata }) => metadata?.name ?? '',
    );
    expect(seen('the DaemonSets of kube-system', sets)).toContainEqual(
      expect.stringMatching(new RegExp(`^svclb-${probe.name}-`)),
    );
  },
});
