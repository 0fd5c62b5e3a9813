import { expect } from 'vitest';
import { ours } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import { claims } from '#lib/claims/claim.ts';
import { externalAppCluster, externalAppUrl } from '#lib/layers/directions.ts';
import { outsideInjected } from '#lib/layers/injected.ts';
import { gatewayOfVm } from '#lib/layers/gateway-of-vm.ts';
import { notServing } from '#lib/layers/health.ts';
import { routeHeadless } from '#lib/layers/route-to-vm.ts';
import {
  accessLogOfPod,
  accessLogOfVm,
  accessMarked,
  accessOver,
  marked,
  newMark,
} from '#lib/probes/access-log.ts';
import { endpointsOf } from '#lib/probes/envoy.ts';
import { get, outcomeOf, saidIn } from '#lib/probes/http.ts';
import { pod } from '#lib/probes/places.ts';
import { podsOf } from '#lib/probes/pods.ts';
import { servedSinceStart } from '#lib/probes/server-log.ts';
import { serviceOf } from '#lib/probes/services.ts';
import { trafficTo } from '#lib/probes/upstream-traffic.ts';

const claim = claims('04-traffic', { layer: 'apps' });

claim('traffic.mesh-to-vm.listing', {
  falsifier: notServing,
  red: /expected '503' to be '200'/,

  async proof(lab, seen) {
    const client = pod(lab, 'sample', 'curl', 'curl');
    const answer = seen('the answer', await get(client, externalAppUrl(lab)));

    expect(outcomeOf(answer), saidIn(answer)).toBe('200');
    if (answer.outcome !== 'answered') return;
    expect(answer.headers).toMatchObject({
      server: 'envoy',
      'content-type': 'text/html; charset=utf-8',
      'content-length': String(Buffer.byteLength(answer.body)),
      'x-envoy-upstream-service-time': expect.stringMatching(/^\d+$/) as string,
    });
    expect(answer.body).toContain('<title>Directory listing for /</title>');

    // the log of the server tells no more than the request, so this one says something of its own
    const request = `/?${newMark()}`;
    expect(outcomeOf(await get(client, new URL(request, externalAppUrl(lab)).href))).toBe('200');
    const { served } = await until(
      `the server on the VM has logged ${request}`,
      async () => servedSinceStart(lab.vm),
      (log) => log.served.some((one) => one.request.includes(request)),
      { within: ours.serverLogs, every: 300 },
    );
    const logged = served.filter((one) => one.request.includes(request));
    expect(seen('what the server logged', logged)).toMatchObject([
      { from: '127.0.0.6', request: `GET ${request} HTTP/1.1`, status: '200' },
    ]);
  },
});

claim('traffic.mesh-to-vm.clusterip', {
  falsifier: routeHeadless,
  red: /has the address None/,

  async proof(lab, seen) {
    const { vmNamespace, vmApp } = lab.settings;
    const { clusterIp } = await serviceOf(lab.kube, vmNamespace, vmApp);
    expect(clusterIp, `the Service ${vmApp} has the address ${clusterIp}`).toMatch(/^10\.43\.\d+\.\d+$/);

    const client = pod(lab, 'sample', 'curl', 'curl');
    const answer = seen('the answer', await get(client, externalAppUrl(lab)));
    expect(outcomeOf(answer), saidIn(answer)).toBe('200');
    expect(answer).toHaveProperty('remote', clusterIp);
    expect(new URL(externalAppUrl(lab)).port).toBe('8000');
  },
});

claim('traffic.mesh-to-vm.needs-injected-namespace', {
  falsifier: outsideInjected,
  red: /expected '200' to be 'refused: connection refused'/,
  witness: true,

  async proof(lab, seen) {
    const { kube, settings } = lab;
    const url = externalAppUrl(lab);
    const inside = await get(pod(lab, 'sample', 'curl', 'curl'), url);
    expect(seen('from the injected namespace', outcomeOf(inside))).toBe('200');

    const outside = await get(pod(lab, 'outside', 'curl', 'curl'), url);
    expect(seen('from elsewhere', outcomeOf(outside))).toBe('refused: connection refused');

    const [client] = await podsOf(kube, 'outside', 'app=curl');
    expect(client?.containers).toEqual(['curl']);
    const words = ['get', 'endpointslices', '-n', settings.vmNamespace, '-o', 'json'];
    const slices = JSON.parse((await lab.kubectl(words)).stdout) as { items: { endpoints?: unknown[] }[] };
    const endpoints = await kube.get({
      apiVersion: 'v1',
      kind: 'Endpoints',
      namespace: settings.vmNamespace,
      name: settings.vmApp,
    });
    expect(slices.items.flatMap((slice) => slice.endpoints ?? [])).toEqual([]);
    expect(seen('the Endpoints of the service', endpoints?.['subsets'] ?? [])).toEqual([]);
  },
});

claim('traffic.mesh-to-vm-direct', {
  falsifier: gatewayOfVm,
  breaks: 'gateway',
  red: /address: '192\.0\.2\.1:15443'/,

  async proof(lab, seen) {
    const { kube, vm, settings } = lab;
    const address = `${await vm.address()}:8000`;
    const endpoints = await endpointsOf(pod(lab, 'sample', 'curl', 'istio-proxy'), externalAppCluster(lab));
    expect(seen('the endpoints that the client has', endpoints)).toEqual([{ address, healthy: true }]);

    const [gateway] = await podsOf(kube, settings.istioNamespace, 'istio=eastwestgateway');
    const proxy = pod(lab, settings.istioNamespace, gateway?.name ?? '', 'istio-proxy');
    const before = seen('through the gateway before', await trafficTo(proxy, /^outbound_\./));
    const mark = newMark();
    const answer = await get(pod(lab, 'sample', 'curl', 'curl'), externalAppUrl(lab), marked(mark));
    expect(outcomeOf(answer), saidIn(answer)).toBe('200');
    expect(seen('through the gateway after', await trafficTo(proxy, /^outbound_\./))).toEqual(before);

    const [sent] = await accessMarked(mark, accessLogOfPod(kube, 'sample', 'curl'));
    expect(seen('how it was sent', sent)).toMatchObject({
      upstream: address,
      cluster: externalAppCluster(lab),
    });
    if (!sent) return;
    // the sidecar of the VM may take it as TCP, and then its log does not tell of requests
    const arrived = (await accessOver(sent, accessLogOfVm(vm))).at(-1);
    expect(seen('how it arrived', arrived)).toMatchObject({
      upstream: address,
      serverName: externalAppCluster(lab).replace(/^outbound\|8000\|\|/, 'outbound_.8000_._.'),
    });
    expect(gateway?.addresses).not.toContain(arrived?.downstreamRemote.split(':')[0]);
  },
});
