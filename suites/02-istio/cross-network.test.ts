import { expect } from 'vitest';
import { ours } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import { claims } from '#lib/claims/claim.ts';
import type { Ref } from '#lib/kube/client.ts';
import { applying } from '#lib/kube/manifest.ts';
import { gatewayAddresses } from '#lib/layers/gateway.ts';
import { gatewayOfNoNetwork } from '#lib/layers/gateway-of-no-network.ts';
import type { Lab } from '#lib/layers/lab.ts';
import { passingNamespace, podReady, together, without } from '#lib/layers/passing.ts';
import { bystander } from '#lib/probes/bystander.ts';
import { endpointsOf } from '#lib/probes/envoy.ts';
import { debugPage, meshRoots } from '#lib/probes/istiod.ts';
import { meshCertificateOf } from '#lib/probes/mesh-certificate.ts';
import { pod } from '#lib/probes/places.ts';
import { serviceOf } from '#lib/probes/services.ts';
import { answerTo, handshake, type TlsOptions } from '#lib/probes/tls.ts';

const claim = claims('02-istio', { layer: 'gateway' });

const namespace = 'cross-network';
const gatewayRef = ({ settings }: Lab): Ref => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'Gateway',
  namespace: settings.istioNamespace,
  name: 'cross-network-gateway',
});
const sniOf = (service: string): string => `outbound_.5000_._.${service}.${namespace}.svc.cluster.local`;

claim('istio.cross-network-gateway', {
  given: async (lab) =>
    together(
      async () => passingNamespace(lab, namespace, { 'istio.io/rev': lab.settings.istioRevision }),
      async () => applying(lab.kube, lab.manifest('02-istio/cross-network.yaml')),
    ),

  falsifier: async (lab) => without(lab, gatewayRef(lab)),
  red: /expected undefined to deeply equal/,

  async proof(lab, seen) {
    const { kube, settings } = lab;
    const found = await kube.get(gatewayRef(lab));
    expect(seen('the gateway', found?.spec)).toEqual({
      selector: { istio: 'eastwestgateway' },
      servers: [
        {
          port: { number: 15443, name: 'tls', protocol: 'TLS' },
          tls: { mode: 'AUTO_PASSTHROUGH' },
          hosts: ['*.local'],
        },
      ],
    });

    await podReady(lab, namespace, 'helloworld');
    await until(
      'the gateway knows where the service is',
      async () =>
        endpointsOf(pod(lab, settings.istioNamespace, 'deploy/istio-eastwestgateway'), sniOf('helloworld')),
      (endpoints) => endpoints.length > 0,
      { within: ours.meshLearns },
    );
    const [roots, client, [address = '']] = [
      await meshRoots(lab),
      await meshCertificateOf(lab, namespace, 'helloworld'),
      await gatewayAddresses(lab),
    ];
    const to = (service: string): TlsOptions => ({
      ...{ address, port: 15443, roots, client, sni: sniOf(service), alpn: 'istio-http/1.1' },
    });
    const met = seen('a service of the mesh', await handshake(bystander(lab), to('helloworld')));
    const identity = `URI:spiffe://cluster.local/ns/${namespace}/sa/default`;
    expect(met).toMatchObject({ outcome: 'verified', names: [identity] });
    const request = `GET /hello HTTP/1.1\r\nHost: helloworld.${namespace}:5000\r\nConnection: close\r\n\r\n`;
    const answer = seen('its answer', await answerTo(bystander(lab), request, to('helloworld')));
    expect(answer).toMatch(/HTTP\/1\.1 200 OK[\s\S]*Hello version: v1/);

    const stranger = seen(
      'a service that there is not',
      await handshake(bystander(lab), to('no-such-service')),
    );
    expect(stranger.outcome).toBe('no certificate');
  },
});

claim('istio.network-topology-label', {
  witness: true,
  async proof(lab, seen) {
    const { clusterNetwork, istioNamespace } = lab.settings;
    const label = 'topology.istio.io/network';
    const inNamespace = await lab.kube.get({ apiVersion: 'v1', kind: 'Namespace', name: istioNamespace });
    const { labels, addresses } = await serviceOf(lab.kube, istioNamespace, 'istio-eastwestgateway');
    const networks = { namespace: inNamespace?.metadata?.labels?.[label], service: labels[label] };
    expect(seen('the labels', networks)).toEqual({ namespace: clusterNetwork, service: clusterNetwork });

    const known = await debugPage<{ Network: string; Addr: string; Port: number }[]>(lab, '/debug/networkz');
    const gateways = seen(
      'the gateways that istiod knows',
      known.map(({ Network, Addr, Port }) => `${Network} ${Addr}:${String(Port)}`),
    );
    expect(gateways.toSorted()).toEqual(
      addresses.map((address) => `${clusterNetwork} ${address}:15443`).toSorted(),
    );
  },

  falsifier: gatewayOfNoNetwork,
  red: /service: undefined/,
});
