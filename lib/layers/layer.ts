import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BlockedError, messageOf } from '#lib/base/errors.ts';
import { exists, readJson, writeAtomic } from '#lib/base/files.ts';
import { withLock } from '#lib/base/lock.ts';
import { say, step } from '#lib/base/progress.ts';
import { notingWaits, type Wait } from '#lib/base/until.ts';
import type { OwnFeature } from './features.ts';
import type { Lab } from './lab.ts';
import { watched } from './watched.ts';

/** In the order in which they stand on each other. */
export const layerNames = ['machines', 'cluster', 'istio', 'gateway', 'workload', 'apps', 'policy'] as const;
export type LayerName = (typeof layerNames)[number];

/** Something provisioned in order. All three are idempotent. */
export interface Layer {
  readonly name: LayerName;
  readonly needs: readonly LayerName[];
  /** What the lab must have for it to be brought up at all. */
  readonly requires?: OwnFeature;
  /** Where it need not wait for all that it needs, it starts after these. */
  readonly startsAfter?: readonly LayerName[];
  /** What is brought up, for whoever watches. */
  readonly title: string;
  readonly expectedMs: number;
  up(lab: Lab, note: (text: string) => void): Promise<void>;
  /** What is started inside a machine when the cluster has come up, long before the layer's turn; it changes nothing. */
  ahead?(lab: Lab): Promise<void>;
  /**
   * Throws when the layer was never built here, or what was built is gone. Whether it is well is for the claims to say:
   * what somebody broke must not be mended before they have looked.
   */
  check(lab: Lab): Promise<void>;
  down(lab: Lab): Promise<void>;
}

interface Outcome {
  layer: LayerName;
  state: 'up' | 'failed';
  startedAt: string;
  ms: number;
  reason?: string;
  /** What bringing it up waited for, those of a tenth of a second or more. */
  waits?: Wait[];
  /** The run that last found it standing, or brought it up. */
  run: string;
}

const outcomeFile = (dir: string, name: LayerName): string => join(dir, 'layers', `${name}.json`);

/** What came of a layer in this lab, from disk: suites are processes of their own. */
export const outcomeOf = (dir: string, name: LayerName): Outcome | undefined =>
  readJson<Outcome>(outcomeFile(dir, name));

async function keepOutcome(
  dir: string,
  name: LayerName,
  outcome: Omit<Outcome, 'layer' | 'run'>,
): Promise<void> {
  await writeAtomic(outcomeFile(dir, name), JSON.stringify({ ...outcome, layer: name, run: runOf(dir) }));
}

/** The run that uses the lab now. */
const runOf = (dir: string): string => {
  const owner = join(dir, 'owner');
  return exists(owner) ? readFileSync(owner, 'utf8') : '';
};

/** What came of these layers counts no more: the next run brings them up again. */
export async function forget(dir: string, names: readonly LayerName[]): Promise<void> {
  for (const name of names) await rm(outcomeFile(dir, name), { force: true });
}

/** A new run on a kept lab tries again what failed in an earlier one. */
export async function forgetFailures(dir: string, names: readonly LayerName[]): Promise<void> {
  for (const name of names) {
    if (outcomeOf(dir, name)?.state === 'failed') await rm(outcomeFile(dir, name));
  }
}

/**
 * Brings one layer up unless it stands; when another process is at it, waits for that. What it stands on must be up.
 *
 * @returns whether it had to be brought up
 * @throws BlockedError that names the layer when it cannot be brought up
 */
export async function raise(layer: Layer, lab: Lab, place: { i: number; n: number }): Promise<boolean> {
  const lock = outcomeFile(lab.dir, layer.name).replace(/json$/, 'lock');
  return withLock(lock, `layer ${layer.name}`, async () => raiseAlone(layer, lab, place));
}

async function raiseAlone(layer: Layer, lab: Lab, place: { i: number; n: number }): Promise<boolean> {
  const before = outcomeOf(lab.dir, layer.name);
  if (before?.state === 'failed') throw new BlockedError(layer.name, before.reason ?? 'it failed before');
  if (before?.state === 'up') {
    // looked at once in a run: what goes down in the middle of it is not mended behind the back of the claims
    if (before.run === runOf(lab.dir)) return false;
    try {
      await layer.check(lab);
      await keepOutcome(lab.dir, layer.name, before);
      return false;
    } catch (error) {
      say(`${layer.title}: what an earlier run built does not stand any more (${messageOf(error)})`);
    }
  }
  const startedAt = new Date().toISOString();
  const started = performance.now();
  const noted: Wait[] = [];
  const took = (): Pick<Outcome, 'startedAt' | 'ms' | 'waits'> => ({
    startedAt,
    ms: Math.round(performance.now() - started),
    waits: noted.filter((wait) => wait.ms >= 100),
  });
  try {
    await step(layer.title, { ...place, expectedMs: layer.expectedMs }, async (note) =>
      notingWaits(noted, async () => watched(lab.dir, note, async () => layer.up(lab, note))),
    );
    await keepOutcome(lab.dir, layer.name, { state: 'up', ...took() });
    return true;
  } catch (error) {
    const reason = messageOf(error);
    await keepOutcome(lab.dir, layer.name, { state: 'failed', ...took(), reason });
    throw new BlockedError(layer.name, reason);
  }
}
