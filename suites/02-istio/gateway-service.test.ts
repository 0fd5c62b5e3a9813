import { expect } from 'vitest';
import { ours } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import { claims } from '#lib/claims/claim.ts';
import { applying, change, type Change } from '#lib/kube/manifest.ts';
import { gatewayAddresses } from '#lib/layers/gateway.ts';
import type { Lab } from '#lib/layers/lab.ts';
import { loadBalancer, withoutLoadBalancer } from '#lib/layers/load-balancer.ts';
import { patched } from '#lib/layers/passing.ts';
import { bystander } from '#lib/probes/bystander.ts';
import { get, outcomeOf } from '#lib/probes/http.ts';
import { nodesOf } from '#lib/probes/nodes.ts';
import { eventsAbout, serviceOf, type ServiceFacts } from '#lib/probes/services.ts';

const claim = claims('02-istio', { layer: 'gateway' });

const eastwest = async ({ kube, settings }: Lab): Promise<ServiceFacts> =>
  serviceOf(kube, settings.istioNamespace, 'istio-eastwestgateway');
const ingress = async ({ kube, settings }: Lab): Promise<ServiceFacts> =>
  serviceOf(kube, settings.istioNamespace, 'istio-ingressgateway');

/** The gateway at the status port of the other one. */
async function atTheSamePort(lab: Lab): Promise<Change> {
  const ref = {
    apiVersion: 'v1',
    kind: 'Service',
    namespace: lab.settings.istioNamespace,
    name: 'istio-eastwestgateway',
  };
  const ports = (await lab.kube.get(ref))?.spec?.['ports'] as { port: number }[];
  const { default: other, ewg } = lab.settings.ports;
  const conflicting = ports.map((one) => (one.port === ewg.status ? { ...one, port: other.status } : one));
  const moved = await patched(lab, `the gateway at port ${String(other.status)}`, {
    ref,
    there: { spec: { ports: conflicting } },
    back: { spec: { ports } },
  });
  return change(moved.name, async () => {
    await moved.undo();
    await gatewayAddresses(lab);
  });
}

claim('istio.ewg-ports', {
  requires: ['own-mesh'],
  falsifier: atTheSamePort,
  red: /'15021->15021\/TCP'/,
  witness: true,

  async proof(lab, seen) {
    const { status, istiod, webhook } = lab.settings.ports.ewg;
    const map = [
      `${String(status)}->15021/TCP`,
      '15443->15443/TCP',
      `${String(istiod)}->15012/TCP`,
      `${String(webhook)}->15017/TCP`,
    ];
    const { type, ports } = seen('the service', await eastwest(lab));

    expect(type).toBe('LoadBalancer');
    expect(ports.toSorted()).toEqual(map.toSorted());
  },
});

claim('istio.ewg-external-ip', {
  requires: ['klipper'],
  falsifier: async (lab) =>
    withoutLoadBalancer(lab, { namespace: lab.settings.istioNamespace, name: 'istio-eastwestgateway' }),
  red: /istio-eastwestgateway has an external address.*last look: \[\]/s,

  async proof(lab, seen) {
    const addresses = seen('the external addresses', await gatewayAddresses(lab, ours.serviceAddress));
    const nodes = (await nodesOf(lab.kube)).map(({ address }) => address);

    expect(addresses.toSorted()).toEqual(nodes.toSorted());
  },
});

claim('istio.ewg-coexists-with-ingress', {
  requires: ['klipper'],
  falsifier: atTheSamePort,
  red: /expected \[ 15021 \] to deeply equal \[\]/,

  async proof(lab, seen) {
    const [one, other] = [await ingress(lab), await eastwest(lab)];
    seen('the two services', [one, other]);
    expect(one.numbers).toEqual([80, 443, lab.settings.ports.default.status]);
    expect(one.numbers.filter((port) => other.numbers.includes(port))).toEqual([]);
    expect(one.addresses.length).toBeGreaterThan(0);
    expect(one.addresses).toEqual(other.addresses);

    const ready = one.addresses.flatMap((address) =>
      [lab.settings.ports.default.status, lab.settings.ports.ewg.status].map(
        (port) => `http://${address}:${String(port)}/healthz/ready`,
      ),
    );
    const answers = await Promise.all(ready.map(async (url) => outcomeOf(await get(bystander(lab), url))));
    expect(seen('both gateways say that they are ready', answers)).toEqual(ready.map(() => '200'));
  },
});

const rival = 'istio-eastwestgateway-rival';
/** The shape of the gateway's service, at ports of which the first alone may be held by another. */
const rivalAt = ({ settings }: Lab, status: number) =>
  loadBalancer({
    name: rival,
    namespace: settings.istioNamespace,
    selector: { istio: 'eastwestgateway' },
    ports: { [status]: 15021, 25443: 15443, 25013: 15012, 25018: 15017 },
  });

claim('istio.ewg-port-conflict-pending', {
  requires: ['klipper'],
  // later layers stand on the gateway itself, so another service of its shape takes the port of the ingress gateway
  given: async (lab) => applying(lab.kube, [rivalAt(lab, lab.settings.ports.default.status)]),

  async falsifier(lab) {
    const namespace = lab.settings.istioNamespace;
    const ref = { apiVersion: 'v1', kind: 'Service', namespace, name: 'istio-ingressgateway' };
    const gone = await patched(lab, 'istio-ingressgateway without a load balancer', {
      ref,
      there: { spec: { type: 'ClusterIP' } },
      back: { spec: { type: 'LoadBalancer' } },
    });
    return change(gone.name, async () => {
      // it has the port by now, and who has it keeps it
      await lab.kube.remove({ apiVersion: 'v1', kind: 'Service', namespace, name: rival });
      await gone.undo();
      await gatewayAddresses(lab, ours.serviceAddress, 'istio-ingressgateway');
    });
  },
  red: /it has no address.*addresses: \[ '192\.168\.64\.60'/s,

  async proof(lab, seen) {
    const { kube, settings } = lab;
    const look = async (): Promise<ServiceFacts> => serviceOf(kube, settings.istioNamespace, rival);
    const held = settings.ports.default.status;
    const events = await until(
      'the load balancer says something about the second service',
      async () => eventsAbout(kube, await look()),
      (said) => said.length > 0,
      { within: ours.serviceAddress, every: 50 },
    );
    const message = seen('the event about it', events).join('\n');
    expect(message).toContain(
      `PortConflict: No node has all ports of this service free: TCP/${String(held)} is held by service ${settings.istioNamespace}/istio-ingressgateway on`,
    );
    const pending = await until('it has no address', look, ({ addresses }) => addresses.length === 0, {
      within: ours.serviceAddress,
      every: 200,
      inARow: 10,
    });
    seen(
      'how it was looked at',
      'a second service of the shape of the gateway, watched for 2 s after the event; not the gateway itself for 60 s',
    );
    seen(`that service with port ${String(held)}`, pending);
    expect(pending.addresses).toEqual([]);

    await kube.apply(rivalAt(lab, 25_022));
    const free = await until('it has an address', look, ({ addresses }) => addresses.length > 0, {
      within: ours.serviceAddress,
      every: 50,
    });
    seen('the same with a free port', free);
    expect(free.addresses).toEqual((await eastwest(lab)).addresses);
    // the nodes learn of the address as we do, and make their rules for it
    const page = `http://${String(free.addresses[0])}:25022/healthz/ready`;
    const answer = await until(
      'the gateway answers at the free port',
      async () => outcomeOf(await get(bystander(lab), page)),
      (outcome) => outcome === '200',
      { within: ours.serverAnswers, every: 100 },
    );
    expect(seen(`GET ${page}`, answer)).toBe('200');
  },
});
