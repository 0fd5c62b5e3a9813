import { afterAll, expect } from 'vitest';
import { claims } from '#lib/claims/claim.ts';
import { change, type Change } from '#lib/kube/manifest.ts';
import { httpServerRuns, startHttpServer } from '#lib/layers/http-server.ts';
import { externalAppUrl } from '#lib/layers/directions.ts';
import { healthBecomes, healthIn, meshKnows, notServing, serving } from '#lib/layers/health.ts';
import { lasting } from '#lib/layers/lasting.ts';
import type { Lab } from '#lib/layers/lab.ts';
import { portRejected } from '#lib/layers/port-rejected.ts';
import { entryOf } from '#lib/layers/sidecar.ts';
import { endOfLogs, logsSince, type LogMark } from '#lib/probes/agent-log.ts';
import { accessLogOfPod, accessMarked, marked, newMark } from '#lib/probes/access-log.ts';
import { get, outcomeOf } from '#lib/probes/http.ts';
import { pod } from '#lib/probes/places.ts';
import { redirectedInbound } from '#lib/probes/redirected.ts';

const claim = claims('04-traffic', { layer: 'apps' });

/** The server stopped, and where the agent's log was before that. */
async function stoppedNow(lab: Lab): Promise<Change & { since: LogMark }> {
  await serving(lab);
  const since = await endOfLogs(lab.vm);
  return { ...(await notServing(lab)), since };
}
const stopped = lasting(stoppedNow);
afterAll(async () => stopped.end());

/** The same for a claim that starts the server: stopped again if that has been done. */
async function stoppedAnew(lab: Lab): Promise<Change> {
  const made = await stopped.given(lab);
  if (await httpServerRuns(lab)) await notServing(lab);
  return made;
}

/** The server started after all; the undo puts back the situation that lasts. */
const started = async (lab: Lab): Promise<Change> => {
  await serving(lab);
  return change('the HTTP server on the VM running', async () => {
    await notServing(lab);
  });
};

claim('traffic.we-unhealthy-initially', {
  given: stopped.given,
  falsifier: started,
  red: /expected 'True' to be 'False'/,

  async proof(lab, seen) {
    const health = seen('the condition', healthIn(await entryOf(lab)));

    expect(health?.status).toBe('False');
    expect(health?.message).toMatch(
      /Get "http:\/\/localhost:8000\/": dial tcp 127\.0\.0\.6:0->127\.0\.0\.1:8000: connect: connection refused/,
    );
    expect(Date.parse(health?.lastProbeTime ?? '')).toBeGreaterThan(0);
    expect(Date.parse(health?.lastTransitionTime ?? '')).toBeGreaterThan(0);
  },
});

claim('traffic.unhealthy-gets-no-traffic', {
  given: stopped.given,
  falsifier: started,
  red: /no longer has the VM as a healthy endpoint.*healthy: true/s,

  async proof(lab, seen) {
    await meshKnows(lab, false);
    const before = seen('connections to the VM before', await redirectedInbound(lab.vm));
    const mark = newMark();
    const client = pod(lab, 'sample', 'curl', 'curl');
    const answer = seen('the answer', await get(client, externalAppUrl(lab), marked(mark)));

    expect(outcomeOf(answer)).toBe('503');
    expect(answer).toMatchObject({ headers: { server: 'envoy' }, body: 'no healthy upstream' });
    const [access] = await accessMarked(mark, accessLogOfPod(lab.kube, 'sample', 'curl'));
    expect(seen('how it was sent', access)).toMatchObject({ status: '503', flags: 'UH', upstream: '-' });
    expect(seen('connections to the VM after', await redirectedInbound(lab.vm))).toBe(before);
  },
});

claim('traffic.we-becomes-healthy', {
  given: stoppedAnew,
  falsifier: portRejected,
  red: /is Healthy=True.*connection refused/s,

  async proof(lab, seen) {
    const before = healthIn(await entryOf(lab));
    expect(before?.status).toBe('False');

    await startHttpServer(lab);
    const started = performance.now();
    const after = seen('the condition', await healthBecomes(lab, 'True'));
    seen('healthy after the start, in ms', Math.round(performance.now() - started));

    expect(after.message ?? '').toBe('');
    expect(Date.parse(after.lastTransitionTime ?? '')).toBeGreaterThan(
      Date.parse(before?.lastTransitionTime ?? ''),
    );
  },
});

/** What the agent has logged of the app's health since the server was stopped. */
async function told({ vm }: Lab): Promise<string[]> {
  const log = await logsSince(vm, stopped.now().since);
  return log.flatMap((line) => /\thealthcheck\t(.* threshold hit.*)/.exec(line)?.[1] ?? []);
}

claim('traffic.health-log-transitions', {
  async given(lab) {
    await stopped.given(lab);
    // started and stopped again since then, it has told of that too
    if ((await told(lab)).length > 2) await stopped.end();
    await stopped.given(lab);
    await serving(lab);
    return change('the server stopped and started', async () => Promise.resolve());
  },
  async falsifier(lab) {
    await stopped.end();
    await stopped.given(lab);
    return change('the server not started again', async () => serving(lab));
  },
  red: /connection refused: expected .* to have a length of 2 but got 1/,

  async proof(lab, seen) {
    const logged = seen('what the agent logged', await told(lab));

    expect(logged[0]).toBe(
      'failure threshold hit, marking as unhealthy: Get "http://localhost:8000/": ' +
        'dial tcp 127.0.0.6:0->127.0.0.1:8000: connect: connection refused',
    );
    expect(logged, `the agent logs both, and no more than: ${logged.join(', ')}`).toHaveLength(2);
    expect(logged[1]).toBe('success threshold hit, marking as healthy');
  },
});
