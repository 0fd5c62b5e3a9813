import { expect } from 'vitest';
import { ours } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import { claims } from '#lib/claims/claim.ts';
import { endConnectionsOfVm } from '#lib/layers/connections.ts';
import { helloworldCluster, helloworldUrl } from '#lib/layers/directions.ts';
import { gatewayAddresses } from '#lib/layers/gateway.ts';
import { gatewayOfNoNetwork } from '#lib/layers/gateway-of-no-network.ts';
import { inForce } from '#lib/layers/passing.ts';
import { scaled } from '#lib/layers/scaled.ts';
import { sidecarGone } from '#lib/layers/sidecar-gone.ts';
import { accessLogOfPod, accessMarked, marked, newMark } from '#lib/probes/access-log.ts';
import { endpointsOf } from '#lib/probes/envoy.ts';
import { get, outcomeOf, saidIn } from '#lib/probes/http.ts';
import { getMany } from '#lib/probes/many.ts';
import { pod } from '#lib/probes/places.ts';
import { podsOf } from '#lib/probes/pods.ts';
import { serviceOf } from '#lib/probes/services.ts';
import { trafficTo } from '#lib/probes/upstream-traffic.ts';

const claim = claims('04-traffic', { layer: 'apps' });

/** The article's answer, whichever pod gives it. */
const hello = /^Hello version: (v[12]), instance: (helloworld-v[12]-[a-z0-9]+-[a-z0-9]+)$/;

claim('traffic.vm-to-mesh.hello', {
  falsifier: sidecarGone,
  breaks: 'workload',
  red: /expected '(refused|no answer|timeout|dns)[^']*' to be '200'/,
  witness: true,

  async proof({ kube, vm }, seen) {
    const answer = seen('the answer', await get(vm, helloworldUrl));

    expect(outcomeOf(answer), saidIn(answer)).toBe('200');
    if (answer.outcome !== 'answered') return;
    expect(answer.headers).toMatchObject({
      server: 'envoy',
      'content-type': 'text/html; charset=utf-8',
      'content-length': String(Buffer.byteLength(answer.body)),
      'x-envoy-upstream-service-time': expect.stringMatching(/^\d+$/) as string,
    });
    const [, version, instance] = hello.exec(answer.body.trimEnd()) ?? [];
    const pods = await podsOf(kube, 'sample', 'app=helloworld');
    expect(pods.find(({ name }) => name === instance)?.labels['version']).toBe(version);
  },
});

claim('traffic.vm-to-mesh.clusterip', {
  falsifier: sidecarGone,
  breaks: 'workload',
  red: /expected '(refused|no answer|timeout|dns)[^']*' to be '200'/,

  async proof({ kube, vm }, seen) {
    const { clusterIp } = await serviceOf(kube, 'sample', 'helloworld');
    const routes = seen('the routes of the VM', (await vm.run(['ip', '-4', 'route', 'show'])).stdout);
    const answer = seen('the answer', await get(vm, helloworldUrl));

    expect(outcomeOf(answer), saidIn(answer)).toBe('200');
    expect(answer).toMatchObject({
      remote: clusterIp,
      body: expect.stringMatching(/^Hello version: /) as string,
    });
    const beginning = clusterIp.split('.').slice(0, 2).join('.');
    expect(routes.split('\n').filter((route) => route.startsWith(`${beginning}.`))).toEqual([]);
  },
});

claim('traffic.vm-to-mesh.both-versions', {
  falsifier: async (lab) => scaled(lab, 'sample', 'helloworld-v1', 0),
  red: /\[ \[ 'v1', 0 \] \]/,

  async proof(lab, seen) {
    // the gateway chooses a pod for each connection, and what is pooled has been chosen
    await endConnectionsOfVm(lab, 15443);
    const { statuses, lines } = await getMany(lab.vm, helloworldUrl, 40);

    const other = lines.find((line) => !hello.test(line)) ?? '';
    expect(seen('40 requests at once', statuses), other.slice(0, 300)).toEqual({ 200: 40 });
    const versions = lines.map((line) => hello.exec(line)?.[1] ?? line);
    const count = (version: string): number => versions.filter((one) => one === version).length;
    const counts = seen('by version', { v1: count('v1'), v2: count('v2') });
    expect(counts.v1 + counts.v2).toBe(40);
    expect(Object.entries(counts).filter(([, n]) => n === 0)).toEqual([]);
  },
});

claim('traffic.vm-to-mesh-via-ewg', {
  async falsifier(lab) {
    const unlabelled = await gatewayOfNoNetwork(lab);
    const byGateway = async (wanted: boolean): Promise<void> => {
      await until(
        `the VM has helloworld ${wanted ? 'at the gateway' : 'at its pods'}`,
        async () => endpointsOf(lab.vm, helloworldCluster),
        (endpoints) => endpoints.every(({ address }) => address.endsWith(':15443')) === wanted,
        { within: ours.meshLearns, every: 500 },
      );
    };
    return inForce(unlabelled, async (broken) => byGateway(!broken));
  },
  breaks: 'gateway',
  red: /'10\.42\.\d+\.\d+:5000'/,

  async proof(lab, seen) {
    const { kube, vm, settings } = lab;
    const addresses = await gatewayAddresses(lab);
    const endpoints = (await endpointsOf(vm, helloworldCluster)).map(({ address }) => address);
    expect(seen('the endpoints that the VM has', endpoints).toSorted()).toEqual(
      addresses.map((address) => `${address}:15443`).toSorted(),
    );

    const [gateway] = await podsOf(kube, settings.istioNamespace, 'istio=eastwestgateway');
    const sni = 'outbound_.5000_._.helloworld.sample.svc.cluster.local';
    const proxy = pod(lab, settings.istioNamespace, gateway?.name ?? '', 'istio-proxy');
    const through = async () => trafficTo(proxy, new RegExp(`^${sni.replaceAll('.', String.raw`\.`)}$`));
    await endConnectionsOfVm(lab, 15443);
    const before = seen('through the gateway before', await through());
    const mark = newMark();
    const answer = await get(vm, helloworldUrl, marked(mark));
    expect(outcomeOf(answer), saidIn(answer)).toBe('200');
    const after = seen('through the gateway after', await through());
    expect(after.connections).toBeGreaterThan(before.connections);

    const pods = await podsOf(kube, 'sample', 'app=helloworld');
    const arrived = await accessMarked(mark, ...pods.map(({ name }) => accessLogOfPod(kube, 'sample', name)));
    expect(seen('how it arrived at the pod', arrived)).toMatchObject([{ status: '200', serverName: sni }]);
    expect(gateway?.addresses).toContain(arrived[0]?.downstreamRemote.split(':')[0]);
  },
});
