import { afterAll, expect } from 'vitest';
import { ours } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import { claims } from '#lib/claims/claim.ts';
import { change, type Change } from '#lib/kube/manifest.ts';
import { externalAppUrl } from '#lib/layers/directions.ts';
import type { Lab } from '#lib/layers/lab.ts';
import { lasting } from '#lib/layers/lasting.ts';
import {
  backInMesh,
  certificateOfVm,
  certified,
  expiredToken,
  rerun,
  tokenTimes,
} from '#lib/layers/token.ts';
import { endOfLogs, logsSince } from '#lib/probes/agent-log.ts';
import { get, outcomeOf, saidIn } from '#lib/probes/http.ts';
import { pod } from '#lib/probes/places.ts';
import { podsOf } from '#lib/probes/pods.ts';
import { unitOf } from '#lib/probes/unit.ts';

const claim = claims('05-policy', { layer: 'policy' });

const expired = lasting(expiredToken);
afterAll(async () => expired.end());

/** The same for claims after which the token is fresh: expired once more. */
async function expiredAnew(lab: Lab): Promise<Change> {
  const made = await expired.given(lab);
  if ((await tokenTimes(lab)).expiresAt * 1000 < Date.now()) return made;
  await expired.end();
  return expired.given(lab);
}

const unauthenticated = 'code = Unauthenticated desc = request authenticate failure';

/** What istiod has logged since a moment. */
async function istiodSince({ kube, settings }: Lab, since: string): Promise<string[]> {
  const { istioNamespace: namespace, istioRevision: revision } = settings;
  const [istiod] = await podsOf(kube, namespace, `app=istiod,istio.io/rev=${revision}`);
  const log = `/api/v1/namespaces/${namespace}/pods/${istiod?.name ?? ''}/log?sinceTime=${encodeURIComponent(since)}`;
  return (await kube.raw(log)).split('\n');
}

claim('life.token-expiry-stops-certs', {
  given: expiredAnew,
  breaks: 'workload',
  red: /issuedAt: \d+.*expiresAt: \d+/s,
  falsifier: async (lab) => {
    await rerun(lab);
    return change('a fresh token', async () => Promise.resolve());
  },
  within: ours.claimWithWait,

  async proof(lab, seen) {
    const { times, mark, since } = expired.now();
    seen(
      'how',
      'the quick form: a token minted with the key of the cluster, expired an hour ago; none was waited for',
    );
    seen('the times in the token', times);
    expect(await tokenTimes(lab)).toEqual(times);

    const onVm = await until(
      `the VM says ${unauthenticated}`,
      async () => (await logsSince(lab.vm, mark)).filter((line) => line.includes(unauthenticated)),
      (lines) => lines.some((line) => line.includes('failed to generate workload certificate')),
      { within: ours.agentRetries, every: 500 },
    );
    expect(seen('the VM', onVm.slice(0, 5)).join('\n')).toMatch(
      /failed to generate workload certificate: create certificate: rpc error: code = Unauthenticated desc = request authenticate failure/,
    );

    const reason = 'service account token has expired';
    const onIstiod = await until(
      `istiod says ${reason}`,
      async () => (await istiodSince(lab, since)).filter((line) => line.includes(reason)),
      (lines) => lines.length > 0,
      { within: ours.istiodSays, every: 500 },
    );
    expect(seen('istiod', onIstiod[0])).toMatch(
      new RegExp(
        `failed to validate the JWT from cluster "${lab.settings.clusterName}".*\\[invalid bearer token, service account token has expired\\]`,
      ),
    );
    expect((await lab.vm.attempt(['test', '-e', certificateOfVm])).code).toBe(1);
  },
});

async function saysUnauthenticated(lab: Lab): Promise<void> {
  const { mark } = expired.now();
  await until(
    `the VM says ${unauthenticated}`,
    async () => logsSince(lab.vm, mark),
    (lines) => lines.some((line) => line.includes(unauthenticated)),
    { within: ours.agentRetries, every: 500 },
  );
}

claim('life.token-refresh-by-rerun', {
  given: expiredAnew,
  async falsifier(lab) {
    await saysUnauthenticated(lab);
    const agent = async (signal: string): Promise<void> => {
      await lab.vm.run(['pkill', `--signal=${signal}`, '--exact', 'pilot-agent']);
    };
    await agent('STOP');
    return change('an agent that does not read the token', async () => agent('CONT'));
  },
  breaks: 'workload',
  red: /the VM has a certificate in \/etc\/certs/,
  within: ours.claimWithStarts,

  async proof(lab, seen) {
    const { times, before } = expired.now();
    await saysUnauthenticated(lab);
    const running = await unitOf(lab.vm, 'istio');

    const began = performance.now();
    const taken = (): number => Math.round(performance.now() - began);
    await rerun(lab);
    seen('rerun, in ms', taken());
    const fresh = seen('the times in the token', await tokenTimes(lab));
    expect(fresh.issuedAt).toBeGreaterThan(times.issuedAt);
    expect(fresh.expiresAt * 1000).toBeGreaterThan(Date.now());

    const after = seen('the new certificate', await certified(lab));
    seen('certificate after, in ms', taken());
    const since = await endOfLogs(lab.vm);
    expect(after.serial).not.toBe(before.serial);
    expect(after.names).toEqual(before.names);

    await backInMesh(lab);
    seen('in the mesh after, in ms', taken());
    const answer = await get(pod(lab, 'sample', 'curl', 'curl'), externalAppUrl(lab));
    expect(seen('from the mesh', outcomeOf(answer)), saidIn(answer)).toBe('200');
    const { mainPid, restarts } = await unitOf(lab.vm, 'istio');
    expect({ mainPid, restarts }).toEqual({ mainPid: running.mainPid, restarts: running.restarts });
    const errors = (await logsSince(lab.vm, since)).filter((line) => line.includes(unauthenticated));
    expect(seen('refused since then', errors)).toEqual([]);
  },
});
