import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Run } from '#lib/base/command.ts';
import { readJson, writeAtomic } from '#lib/base/files.ts';
import { heartbeat } from '#lib/base/heartbeat.ts';
import { holderOf, withLock } from '#lib/base/lock.ts';
import { cacheDir } from '#lib/base/paths.ts';
import { isAlive } from '#lib/base/processes.ts';
import { say, step, type StepPlan } from '#lib/base/progress.ts';
import { seconds } from '#lib/base/until.ts';
import { containedRun } from './contained.ts';
import { refuseFullDisk, refuseWithoutRoom } from './disk.ts';
import { describe, manifestFile, verify, type Damage, type Manifest } from './manifest.ts';

/** Says what is going on, for whoever watches. */
export type Note = (text: string) => void;

/**
 * Fills the folder `dir` with the artifact; what it starts by `run` ends when we end or the build is called off by
 * `signal`.
 */
export type Build = (dir: string, note: Note, run: Run, signal?: AbortSignal) => Promise<void>;

/** An artifact that can be looked for before it is decided to make it; its parts are the parameters of `produce`. */
export interface Product {
  name: string;
  inputs: unknown;
  title: string;
  expectedMs: number;
  build: Build;
}

/** This is artifact i of n; `signal` calls its build off. */
export interface Place extends Pick<StepPlan, 'i' | 'n'> {
  signal?: AbortSignal;
}

export interface ProduceOptions extends Place {
  /** Its files get hard-linked from elsewhere, which changes their ctime: size and mtime alone say "untouched". */
  hardLinked?: boolean;
  /** The folder of all artifacts; <cache>/artifacts unless told. */
  store?: string;
}

/**
 * The folder of an artifact: found in the cache and unharmed, or built now.
 * Name and inputs (anything that JSON can hold) make up its key, so other inputs give another folder.
 * A build is seen as a whole or not at all; one run builds, others wait; what a killed run left is removed.
 *
 * @param expectedMs how long a build takes when no earlier one was timed
 * @returns the path of the folder, which is not to be written to
 * @throws RefusedError when the disk is full
 */
export async function produce(
  name: string,
  inputs: unknown,
  title: string,
  expectedMs: number,
  build: Build,
  options: ProduceOptions = {},
): Promise<string> {
  const { hardLinked = false, store = join(cacheDir(), 'artifacts'), signal, ...place } = options;
  const folder = `${name}-${keyOf(name, inputs)}`;
  const path = join(store, folder);
  const intact = async (): Promise<Damage | undefined> => verify(path, hardLinked);
  if ((await intact()) === undefined) return path;

  signal?.throwIfAborted();
  await refuseWithoutRoom(title, store);
  await alone(join(store, `${folder}.lock`), title, async () => {
    const damage = await intact();
    if (damage === undefined) return;
    signal?.throwIfAborted();
    if (damage !== 'absent') {
      const { file, expected, found } = damage;
      say(`${path} is corrupted: ${file}, expected ${expected}, found ${found}; building it again`);
      await rm(path, { recursive: true, force: true });
    }
    await removeDrafts(store, folder);
    const draft = join(store, `${folder}.${randomBytes(4).toString('hex')}.draft`);
    const took = join(store, 'durations', `${name}.json`);
    const usual = readJson<{ ms: number }>(took)?.ms ?? expectedMs;
    const started = performance.now();
    try {
      await step(title, { ...place, expectedMs: usual }, async (note) => {
        await mkdir(draft, { recursive: true });
        await build(draft, note, containedRun(signal), signal);
        note('taking checksums');
        const ms = Math.round(performance.now() - started);
        const manifest: Manifest = { name, title, inputs, tookMs: ms, files: await describe(draft) };
        await writeAtomic(join(draft, manifestFile), JSON.stringify(manifest, undefined, 1));
        await rename(draft, path);
        await writeAtomic(took, JSON.stringify({ ms }));
      });
    } catch (error) {
      await rm(draft, { recursive: true, force: true });
      throw await refuseFullDisk(error, title, store);
    }
  });
  return path;
}

/** The folder of an artifact, as `produce` gives it. */
export const made = async (
  { name, inputs, title, expectedMs, build }: Product,
  options: ProduceOptions = {},
): Promise<string> => produce(name, inputs, title, expectedMs, build, options);

/** Whether an artifact is in the cache, unharmed. */
export async function isMade(
  { name, inputs }: Pick<Product, 'name' | 'inputs'>,
  store = join(cacheDir(), 'artifacts'),
): Promise<boolean> {
  return (await verify(join(store, `${name}-${keyOf(name, inputs)}`), false)) === undefined;
}

/** The first twelve hex digits of the hash of name and inputs, whatever the order of the inputs' keys. */
export function keyOf(name: string, inputs: unknown): string {
  const sorted = (_: string, value: unknown): unknown =>
    value !== null && typeof value === 'object' && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
      : value;
  return createHash('sha256')
    .update(JSON.stringify([name, inputs], sorted))
    .digest('hex')
    .slice(0, 12);
}

/** Does the work under the lock and, while another run holds it, says so. */
async function alone(lock: string, title: string, work: () => Promise<void>): Promise<void> {
  const holder = await holderOf(lock);
  if (holder !== undefined && isAlive(holder)) {
    say(`${title}: another run (pid ${String(holder.pid)}) is at it; waiting for it to finish`);
  }
  const started = performance.now();
  const stop = heartbeat(seconds(9), () => {
    say(
      `${title}: waited ${((performance.now() - started) / 1000).toFixed(0)} s for the other run that builds it`,
    );
  });
  try {
    await withLock(lock, title, async () => {
      stop();
      await work();
    });
  } finally {
    stop();
  }
}

async function removeDrafts(store: string, folder: string): Promise<void> {
  for (const entry of await readdir(store)) {
    if (!entry.startsWith(`${folder}.`) || !entry.endsWith('.draft')) continue;
    say(`Removing ${join(store, entry)}, which an earlier run left half-built`);
    await rm(join(store, entry), { recursive: true, force: true });
  }
}
