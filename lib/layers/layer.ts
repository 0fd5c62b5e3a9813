import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { BlockedError, messageOf } from '#lib/base/errors.ts';
import { readJson, writeAtomic } from '#lib/base/files.ts';
import { step } from '#lib/base/progress.ts';
import type { Lab } from './lab.ts';

export type LayerName = 'machines' | 'cluster' | 'istio' | 'gateway' | 'workload' | 'apps' | 'policy';

/** Something provisioned in order. All three are idempotent. */
export interface Layer {
  readonly name: LayerName;
  readonly needs: readonly LayerName[];
  /** Where it need not wait for all that it needs, it starts after these. */
  readonly startsAfter?: readonly LayerName[];
  /** What is brought up, for whoever watches. */
  readonly title: string;
  readonly expectedMs: number;
  up(lab: Lab, note: (text: string) => void): Promise<void>;
  /** What can go on inside a machine before the layer's turn; called once, when the machines have come up. */
  ahead?(lab: Lab): Promise<void>;
  /** Throws when the layer does not stand as it should. */
  check(lab: Lab): Promise<void>;
  down(lab: Lab): Promise<void>;
}

interface Outcome {
  layer: LayerName;
  state: 'up' | 'failed';
  startedAt: string;
  ms: number;
  reason?: string;
}

const outcomeFile = (dir: string, name: LayerName): string => join(dir, 'layers', `${name}.json`);

/** What came of a layer in this lab, from disk: suites are processes of their own. */
export const outcomeOf = (dir: string, name: LayerName): Outcome | undefined =>
  readJson<Outcome>(outcomeFile(dir, name));

async function keepOutcome(dir: string, name: LayerName, outcome: Omit<Outcome, 'layer'>): Promise<void> {
  await writeAtomic(outcomeFile(dir, name), JSON.stringify({ layer: name, ...outcome }));
}

/** A new run on a kept lab tries again what failed in an earlier one. */
export async function forgetFailures(dir: string, names: readonly LayerName[]): Promise<void> {
  for (const name of names) {
    if (outcomeOf(dir, name)?.state === 'failed') await rm(outcomeFile(dir, name));
  }
}

/**
 * Brings one layer up unless it stands. What it stands on must be up.
 *
 * @returns whether it had to be brought up
 * @throws BlockedError that names the layer when it cannot be brought up
 */
export async function raise(layer: Layer, lab: Lab, place: { i: number; n: number }): Promise<boolean> {
  const before = outcomeOf(lab.dir, layer.name);
  if (before?.state === 'failed') throw new BlockedError(layer.name, before.reason ?? 'it failed before');
  if (before?.state === 'up') {
    try {
      await layer.check(lab);
      return false;
    } catch {
      // it stood once and does not now: `up` is idempotent and puts back what is missing
    }
  }
  const startedAt = new Date().toISOString();
  const started = performance.now();
  const ms = (): number => Math.round(performance.now() - started);
  try {
    await step(layer.title, { ...place, expectedMs: layer.expectedMs }, async (note) => layer.up(lab, note));
    await keepOutcome(lab.dir, layer.name, { state: 'up', startedAt, ms: ms() });
    return true;
  } catch (error) {
    const reason = messageOf(error);
    await keepOutcome(lab.dir, layer.name, { state: 'failed', startedAt, ms: ms(), reason });
    throw new BlockedError(layer.name, reason);
  }
}
