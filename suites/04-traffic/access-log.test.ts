import { expect } from 'vitest';
import { ours } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import { claims } from '#lib/claims/claim.ts';
import type { Ref } from '#lib/kube/client.ts';
import type { Change } from '#lib/kube/manifest.ts';
import { endConnectionsOfVm } from '#lib/layers/connections.ts';
import { helloworldUrl } from '#lib/layers/directions.ts';
import type { Lab } from '#lib/layers/lab.ts';
import { inMesh } from '#lib/layers/health.ts';
import { inForce, without } from '#lib/layers/passing.ts';
import { registered } from '#lib/layers/sidecar.ts';
import {
  accessBefore,
  accessMarked,
  accesses,
  accessLogOfPod,
  accessLogOfVm,
  type Access,
  marked,
  newMark,
} from '#lib/probes/access-log.ts';
import { accessLoggers } from '#lib/probes/envoy.ts';
import { get, outcomeOf } from '#lib/probes/http.ts';
import { pod, type Place } from '#lib/probes/places.ts';
import { podsOf } from '#lib/probes/pods.ts';

const claim = claims('04-traffic', { layer: 'apps' });

const telemetryOf = ({ settings }: Lab): Ref => ({
  apiVersion: 'telemetry.istio.io/v1alpha1',
  kind: 'Telemetry',
  namespace: settings.istioNamespace,
  name: 'mesh-default',
});

/** What a request of the VM to helloworld passes: the VM's proxy, the gateway, and the sidecars of helloworld. */
async function onTheWay({ kube, vm, settings }: Lab) {
  const [gateway] = await podsOf(kube, settings.istioNamespace, 'istio=eastwestgateway');
  return {
    vm,
    gateway: gateway?.name ?? '',
    servers: (await podsOf(kube, 'sample', 'app=helloworld')).map(({ name }) => name),
  };
}

/** How many of the listeners of each proxy on the way write an access log. */
async function writing(lab: Lab): Promise<Record<string, string>> {
  const { vm, gateway, servers } = await onTheWay(lab);
  const proxies: Place[] = [
    vm,
    pod(lab, lab.settings.istioNamespace, gateway, 'istio-proxy'),
    ...servers.map((server) => pod(lab, 'sample', server, 'istio-proxy')),
  ];
  const counted = await Promise.all(
    proxies.map(async (proxy) => [proxy.name, await accessLoggers(proxy)] as const),
  );
  return Object.fromEntries(
    counted.map(([name, { logging, all }]) => [
      name,
      logging === 0 ? 'none' : logging === all ? 'all' : 'some',
    ]),
  );
}

/** No Telemetry mesh-default, as every proxy on the way knows. */
async function noTelemetry(lab: Lab): Promise<Change> {
  const gone = await without(lab, telemetryOf(lab));
  const known = async (gone: boolean): Promise<unknown> =>
    until(
      `the proxies write ${gone ? 'no access log' : 'an access log'}`,
      async () => Object.values(await writing(lab)),
      (all) => all.every((one) => (one === 'none') === gone),
      { within: ours.meshLearns, every: 300 },
    );
  return inForce(gone, async (wanted) => {
    await known(wanted);
    if (!wanted) await connectedAnew(lab);
  });
}

/**
 * Listeners that were replaced close what they still have 45 s later. The VM's connection to istiod is ended now, so that
 * it does not happen under another claim.
 */
async function connectedAnew(lab: Lab): Promise<void> {
  const connectedAt = async (): Promise<string> =>
    (await registered(lab)).metadata?.annotations?.['istio.io/connectedAt'] ?? '';
  const before = await connectedAt();
  await endConnectionsOfVm(lab, lab.settings.ports.ewg.istiod);
  await until('the VM has another connection to istiod', connectedAt, (at) => at !== before, {
    within: ours.registered,
    every: 200,
  });
  await inMesh(lab);
}

claim('obs.access-log-mesh-default', {
  // on a mesh that is used as it is, access logs are turned on in the lab's own namespaces
  requires: ['own-mesh'],
  falsifier: noTelemetry,
  red: /'vm-istio-external-workload': 'none'/,
  within: ours.claimWithWait,

  async proof(lab, seen) {
    const { kube, vm, settings } = lab;
    const { gateway, servers } = await onTheWay(lab);
    const atVm = accessLogOfVm(vm);
    const atGateway = accessLogOfPod(kube, settings.istioNamespace, gateway);
    const atServers = servers.map((server) => accessLogOfPod(kube, 'sample', server));
    const places = Object.keys(await writing(lab));
    const each = (what: string): Record<string, string> =>
      Object.fromEntries(places.map((name) => [name, what]));
    expect(seen('listeners with an access log', await writing(lab))).toEqual(each('all'));
    expect((await kube.get(telemetryOf(lab)))?.spec).toEqual({
      accessLogging: [{ providers: [{ name: 'envoy' }] }],
    });

    const logged = await requested();
    expect(seen("the VM's lines", await accessMarked(logged, atVm))).toMatchObject([{ status: '200' }]);
    expect(seen("the gateway's lines", await throughGateway(logged))).toHaveLength(1);

    const none = await noTelemetry(lab);
    const silent = await requested().finally(async () => none.undo());
    // what is written later stands behind what was written before
    const after = await requested();
    await Promise.all([accessMarked(after, atVm), throughGateway(after)]);
    const ofSilence = ({ userAgent }: { userAgent: string }): boolean => userAgent === silent;
    const lines = await Promise.all([atVm, ...atServers].map(async (log) => accesses(log, ofSilence)));
    expect(seen('lines of a request without it', lines.flat())).toEqual([]);

    /** What the gateway logged of a request, by what the server of helloworld that it came to did. */
    async function throughGateway(mark: string): Promise<Access[]> {
      const [arrived, ...more] = await accessMarked(mark, ...atServers);
      expect(arrived).toMatchObject({ status: '200' });
      expect(more).toEqual([]);
      return arrived ? accessBefore(arrived, atGateway) : [];
    }

    /** One request over connections of its own, which have ended; returns its mark. */
    async function requested(): Promise<string> {
      await endConnectionsOfVm(lab, 15443);
      const mark = newMark();
      expect(outcomeOf(await get(vm, helloworldUrl, marked(mark)))).toBe('200');
      await endConnectionsOfVm(lab, 15443);
      return mark;
    }
  },
});
