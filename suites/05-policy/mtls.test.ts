import { afterAll, expect } from 'vitest';
import { ours } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import { claims } from '#lib/claims/claim.ts';
import { applying, change } from '#lib/kube/manifest.ts';
import { bothDirections } from '#lib/layers/directions.ts';
import { healthIn, inMesh, notServing } from '#lib/layers/health.ts';
import { lasting } from '#lib/layers/lasting.ts';
import type { Lab } from '#lib/layers/lab.ts';
import { movedTo } from '#lib/layers/passing.ts';
import { entryOf } from '#lib/layers/sidecar.ts';
import { strictElsewhere, strictMtls, takingPlaintext, twoSidecars } from '#lib/layers/strict.ts';
import { withoutServiceAccount } from '#lib/layers/without-service-account.ts';
import { accesses, accessLogOfVm } from '#lib/probes/access-log.ts';
import { get, outcomeOf } from '#lib/probes/http.ts';
import { inboundChains, plaintext } from '#lib/probes/inbound-chains.ts';
import { pod } from '#lib/probes/places.ts';
import { isProbe, servedSinceStart } from '#lib/probes/server-log.ts';

const claim = claims('05-policy', { layer: 'policy' });

claim('policy.strict-rejects-plaintext-to-vm', {
  falsifier: async ({ kube, manifest, settings }) => {
    const documents = movedTo(settings.vmNamespace, manifest('05-policy/strict.yaml'));
    const permissive = documents.map((one) => ({ ...one, spec: { mtls: { mode: 'PERMISSIVE' } } }));
    return applying(kube, permissive, 'PERMISSIVE in the namespace of the VM');
  },
  red: /take TLS alone/,

  async proof(lab, seen) {
    const outsider = pod(lab, 'outside', 'curl', 'curl');
    const url = `http://${await lab.vm.address()}:8000/`;
    const plain = async (): Promise<string> => outcomeOf(await get(outsider, url));
    const log = accessLogOfVm(lab.vm);
    const turnedAway = async () => accesses(log, ({ flags }) => flags === 'NR');
    expect(seen('before', await plain())).toBe('200');
    const before = (await turnedAway()).length;

    const applied = performance.now();
    const policy = await strictMtls(lab);
    try {
      await takingPlaintext(await twoSidecars(lab), false);
      seen('in force after, in ms', Math.round(performance.now() - applied));
      expect(seen('with STRICT', await plain())).toBe('refused: connection reset');
      // what is not redirected to the sidecar is not its business
      const untouched = [15021, 15090].map((port) => url.replace(':8000/', `:${String(port)}/`));
      const [ready, metrics] = await Promise.all([
        get(outsider, `${untouched[0] ?? ''}healthz/ready`),
        get(outsider, `${untouched[1] ?? ''}stats/prometheus`),
      ]);
      expect(seen('15021 and 15090 of the VM', [ready, metrics].map(outcomeOf))).toEqual(['200', '200']);
      const why = await until(
        'the sidecar of the VM tells why it turned the connection away',
        turnedAway,
        (found) => found.length > before,
        { within: ours.accessLogged, every: 300 },
      );
      expect(seen('why', why.at(-1))).toMatchObject({ details: 'filter_chain_not_found' });
    } finally {
      await policy.undo();
    }
    expect(seen('after', await plain())).toBe('200');
  },
});

const strict = lasting(async (lab: Lab) => {
  await inMesh(lab);
  const made = await strictMtls(lab);
  const clock = await lab.vm.run(['date', '+%s%3N']);
  return { ...made, since: Number(clock.stdout) };
});
afterAll(async () => strict.end());

claim('policy.strict-mtls-accepted', {
  given: strict.given,
  falsifier: strictElsewhere,
  red: /expected undefined to deeply equal/,

  async proof(lab, seen) {
    const stored = await lab.kube.get({
      apiVersion: 'security.istio.io/v1beta1',
      kind: 'PeerAuthentication',
      namespace: lab.settings.istioNamespace,
      name: 'default',
    });
    expect(stored?.spec).toEqual({ mtls: { mode: 'STRICT' } });

    await takingPlaintext(await twoSidecars(lab), false);
    for (const proxy of await twoSidecars(lab)) {
      const chains = seen(`the inbound filter chains of ${proxy.name}`, await inboundChains(proxy));
      expect(chains.length).toBeGreaterThan(0);
      expect(plaintext(chains)).toEqual([]);
    }
  },
});

claim('policy.strict-keeps-mesh-traffic', {
  given: strict.given,
  falsifier: withoutServiceAccount,
  breaks: 'workload',
  red: /vmToMesh: \{ '200': 20 \}, meshToVm: \{ .*'?503'?: \d+/s,

  async proof(lab, seen) {
    await Promise.all([takingPlaintext(await twoSidecars(lab), false), inMesh(lab)]);
    const answers = seen(
      '20 requests each way at the same time, four at once',
      await bothDirections(lab, 20),
    );

    expect(answers, JSON.stringify(answers)).toEqual({ vmToMesh: { 200: 20 }, meshToVm: { 200: 20 } });
  },
});

claim('policy.strict-health-probe-unaffected', {
  given: strict.given,
  async falsifier(lab) {
    const stopped = await notServing(lab);
    return change(stopped.name, async () => {
      await stopped.undo();
      // its health has changed since: what follows is looked at from a new beginning
      await strict.end();
    });
  },
  breaks: 'apps',
  red: /the app has been probed three times under STRICT/,

  async proof(lab, seen) {
    const { since } = strict.now();
    await takingPlaintext(await twoSidecars(lab), false);
    const probes = await until(
      'the app has been probed three times under STRICT',
      async () => (await servedSinceStart(lab.vm)).served.filter((one) => one.at > since && isProbe(one)),
      (served) => served.length >= 3,
      { within: ours.threeProbes, every: 500 },
    );

    expect(seen('probes under STRICT', probes).filter(({ status }) => status !== '200')).toEqual([]);
    const health = seen('the condition', healthIn(await entryOf(lab)));
    expect(health?.status).toBe('True');
    expect(Date.parse(health?.lastTransitionTime ?? '')).toBeLessThan(since);
  },
});
