import { expect } from 'vitest';
import { ours, theirs } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import { claims } from '#lib/claims/claim.ts';
import { change } from '#lib/kube/manifest.ts';
import { notServing, restartHttpServer } from '#lib/layers/health.ts';
import { servedSinceStart, type ServerLog } from '#lib/probes/server-log.ts';

const claim = claims('04-traffic', { layer: 'apps' });

/** How often the group has its VMs probed; a busy machine is late now and then. */
const period = theirs.probePeriod.ms;
const jitter = (): number => Math.min(ours.jitter.ms, period / 2);
const soon = (): number => period + ours.firstProbe.ms;

claim('traffic.health-probe-arrives', {
  async given(lab) {
    // what was started before the sidecar, as when the lab came up, cannot show how soon it is probed
    const late = firstAfter(await servedSinceStart(lab.vm)) >= soon();
    if (late) await restartHttpServer(lab);
    return change(late ? 'the HTTP server restarted' : 'the HTTP server as it is', async () => {
      await Promise.resolve();
    });
  },
  falsifier: notServing,
  red: /sinceLast: [1-9]\d{4}|The log of the server on \S+ cannot be read: it does not run/,

  async proof({ vm }, seen) {
    // requests of other claims come from the same address, so the log must have been quiet for three probes
    const log = await until(
      `the server on the VM has served three requests in a row that came 5 s (+-${String(jitter() / 1000)}) apart`,
      async () => sinceLast(await servedSinceStart(vm)),
      (log) =>
        log.sinceLast <= period + jitter() &&
        spacings(log.served.slice(-3)).filter((ms) => Math.abs(ms - period) <= jitter()).length === 2,
      { within: ours.quietForThreeProbes, every: 500 },
    );
    const last = seen('the last three', log.served.slice(-3));
    const probe = { from: '127.0.0.6', request: 'GET / HTTP/1.1', status: '200' };

    expect(last).toMatchObject([probe, probe, probe]);
    expect(seen('the first', log.served[0])).toMatchObject(probe);
    expect(seen('the first after the start, in ms', firstAfter(log))).toBeLessThan(soon());
  },
});

function firstAfter({ startedAt, served }: ServerLog): number {
  return (served[0]?.at ?? Infinity) - startedAt;
}

/** And how long ago the last request came: what was served once is no sign of a probe. */
const sinceLast = (log: ServerLog): ServerLog & { sinceLast: number } => ({
  ...log,
  sinceLast: log.readAt - (log.served.at(-1)?.at ?? log.startedAt),
});

function spacings(requests: readonly { at: number }[]): number[] {
  return requests.slice(1).map(({ at }, place) => at - (requests[place]?.at ?? NaN));
}
