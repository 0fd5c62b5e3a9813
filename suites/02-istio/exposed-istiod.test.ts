import { expect } from 'vitest';
import { ours } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import { claims } from '#lib/claims/claim.ts';
import { defaultPortOpen } from '#lib/layers/default-port-open.ts';
import { gatewayAddresses } from '#lib/layers/gateway.ts';
import type { Lab } from '#lib/layers/lab.ts';
import { inForce, without } from '#lib/layers/passing.ts';
import { refTo, withFirst } from '#lib/layers/with-first.ts';
import { bystander } from '#lib/probes/bystander.ts';
import { listeners } from '#lib/probes/envoy.ts';
import { meshRoots } from '#lib/probes/istiod.ts';
import { pod, type Place } from '#lib/probes/places.ts';
import { connecting, type Connecting } from '#lib/probes/tcp.ts';
import { handshake } from '#lib/probes/tls.ts';

const claim = claims('02-istio', { layer: 'gateway' });

const proxyOf = (lab: Lab): Place =>
  pod(lab, lab.settings.istioNamespace, 'deploy/istio-eastwestgateway', 'istio-proxy');

claim('istio.ewg-gateway-object', {
  async proof(lab, seen) {
    const { istiod, webhook } = lab.settings.ports.ewg;
    const found = await lab.kube.get(refTo(lab, 'Gateway', 'istiod-gateway'));
    const server = (name: string, number: number) => ({
      port: { name, number, protocol: 'tls' },
      tls: { mode: 'PASSTHROUGH' },
      hosts: ['*'],
    });
    expect(seen('the gateway', found?.spec)).toEqual({
      selector: { istio: 'eastwestgateway' },
      servers: [server('tls-istiod', istiod), server('tls-istiodwebhook', webhook)],
    });

    const listening = (await listeners(proxyOf(lab))).map((listener) => Number(listener.split(':').at(-1)));
    expect(seen("the ports of the gateway's Envoy", listening)).toEqual(
      expect.arrayContaining([15012, 15017]),
    );
    expect(listening.filter((port) => [istiod, webhook].includes(port))).toEqual([]);
  },

  falsifier: async (lab) => withFirst(lab, 'Gateway', 'istiod-gateway', 'servers'),
  red: /servers: \[ \{[^[]*\[ '\*' \][^[]*\} \]/,
});

claim('istio.ewg-virtualservice', {
  async proof(lab, seen) {
    const { istioNamespace, istioRevision, ports } = lab.settings;
    const host = `istiod-${istioRevision}.${istioNamespace}.svc.cluster.local`;
    const route = (port: number, to: number) => ({
      match: [{ port, sniHosts: ['*'] }],
      route: [{ destination: { host, port: { number: to } } }],
    });
    const found = await lab.kube.get(refTo(lab, 'VirtualService', 'istiod-vs'));
    expect(seen('the virtual service', found?.spec)).toEqual({
      hosts: ['*'],
      gateways: ['istiod-gateway'],
      tls: [route(ports.ewg.istiod, ports.default.istiod), route(ports.ewg.webhook, 443)],
    });

    const { stdout } = await lab.istioctl([
      'proxy-config',
      'listeners',
      `deploy/istio-eastwestgateway.${istioNamespace}`,
    ]);
    const lines = seen("the listeners of the gateway's Envoy", stdout).split('\n');
    const clusterAt = (port: string): string[] =>
      lines.flatMap((line) => {
        const [, at, ...words] = line.split(/\s+/);
        return at === port ? [words.join(' ').replace(/^.*Cluster: /, '')] : [];
      });
    expect({ 15012: clusterAt('15012'), 15017: clusterAt('15017') }).toEqual({
      15012: [`outbound|15012||${host}`],
      15017: [`outbound|443||${host}`],
    });
  },

  falsifier: async (lab) => withFirst(lab, 'VirtualService', 'istiod-vs', 'tls'),
  red: /^(?!.*\b15018\b).*tls: \[.*\b15013\b/s,
});

claim('istio.ewg-reaches-istiod', {
  witness: true,
  async proof(lab, seen) {
    const { istioNamespace, istioRevision, ports } = lab.settings;
    const name = `istiod-${istioRevision}.${istioNamespace}.svc`;
    const roots = await meshRoots(lab);
    const [address = ''] = await gatewayAddresses(lab);
    const asked = { address, port: ports.ewg.istiod, sni: name, roots, goodFor: name };
    const { outcome, names, said } = await handshake(bystander(lab), asked);
    seen(`openssl s_client to ${address}:${String(ports.ewg.istiod)}`, said);

    expect(outcome).toBe('verified');
    expect(names).toContain(`DNS:${name}`);
  },

  async falsifier(lab) {
    const [address = ''] = await gatewayAddresses(lab);
    const reached = async (wanted: boolean): Promise<void> => {
      await until(
        `the gateway ${wanted ? 'listens' : 'no longer listens'} for istiod`,
        async () => connecting(bystander(lab), address, lab.settings.ports.ewg.istiod),
        (seen) => (seen === 'connected') === wanted,
        { within: ours.meshLearns },
      );
    };
    const gone = await without(lab, refTo(lab, 'VirtualService', 'istiod-vs'));
    return inForce(gone, async (broken) => reached(!broken));
  },
  red: /expected 'no connection' to be 'verified'/,
});

claim('istio.ewg-15012-closed', {
  async proof(lab, seen) {
    const { ports } = lab.settings;
    const addresses = await gatewayAddresses(lab);
    const at = async (port: number): Promise<Connecting[]> =>
      Promise.all(addresses.map(async (address) => connecting(bystander(lab), address, port)));
    const open = seen(`port ${String(ports.ewg.istiod)}`, await at(ports.ewg.istiod));
    const closed = seen(`port ${String(ports.default.istiod)}`, await at(ports.default.istiod));

    expect(open).toEqual(addresses.map(() => 'connected'));
    expect(closed).toEqual(addresses.map(() => 'connection refused'));
  },

  falsifier: defaultPortOpen,
  red: /expected \[ 'connected'/,
});
