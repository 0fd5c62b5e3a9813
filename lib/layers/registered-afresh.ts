import { seconds } from '#lib/base/until.ts';
import { refOf, change, type Change } from '#lib/kube/manifest.ts';
import type { Resource } from '#lib/kube/client.ts';
import { logSinceStart, timeOf } from '#lib/probes/agent-log.ts';
import type { Lab } from './lab.ts';
import { entryOf, killSidecar, runningSidecar } from './sidecar.ts';
import { startSidecar } from './workload.ts';
import { orUndone } from './passing.ts';

/**
 * A start of the agent at which there was no WorkloadEntry: the last start when it was one, or else a new one.
 * The entry is removed by hand meanwhile, which spares the ten seconds of grace.
 */
export async function registeredAfresh(lab: Lab): Promise<Change> {
  const entry = await entryOf(lab);
  const [started = ''] = await logSinceStart(lab.vm);
  if (entry && createdAt(entry) > timeOf(started) - seconds(1)) {
    return change('the last start of the sidecar', async () => Promise.resolve());
  }
  const running = await runningSidecar(lab);
  await orUndone(running, async () => {
    await killSidecar(lab);
    if (entry) await lab.kube.remove(refOf(entry));
    await startSidecar(lab);
  });
  return running;
}

/** When the API server created an object, in milliseconds since 1970, by whole seconds. */
export const createdAt = ({ metadata }: Resource): number =>
  new Date(metadata?.creationTimestamp ?? NaN).getTime();
