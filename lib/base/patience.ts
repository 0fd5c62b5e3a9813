import { pbkdf2 } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { readJson, writeAtomic } from './files.ts';
import { labDir } from './paths.ts';
import { defaults, mostPatience } from './settings.ts';

/** By how much deadlines of ours are stretched, and why. */
export interface Patience {
  /** 1 on the reference machine; 1 to `mostPatience`. */
  factor: number;
  /** Where the factor comes from, in words. */
  why: string;
}

/** Up to here a machine is as good as the reference: deadlines have that much room. */
const noise = 1.5;

/** The file in the folder of a lab from which every process of a run has the factor. */
const file = (dir: string): string => join(dir, 'patience.json');

/** What this process measured, perhaps before its lab had a folder. */
let own: { found: Patience; dir?: string | undefined } | undefined;

/** The number that LAB_PATIENCE says; undefined when it says `auto`. `settings` refuses what is neither. */
export function patienceAsked(env: NodeJS.ProcessEnv = process.env): number | undefined {
  const asked = Number(env['LAB_PATIENCE'] || defaults()['LAB_PATIENCE']);
  return asked >= 1 && asked <= mostPatience ? asked : undefined;
}

/**
 * The patience in force: what LAB_PATIENCE says, or what was measured when the lab came up, or 1 before that.
 * Never throws, as every deadline asks.
 */
export function patience(env: NodeJS.ProcessEnv = process.env): Patience {
  const asked = patienceAsked(env);
  if (asked !== undefined) return { factor: asked, why: `LAB_PATIENCE=${String(asked)}` };
  const dir = own?.dir ?? labDir(env['LAB_NAME'] || (defaults()['LAB_NAME'] ?? ''));
  return keptPatience(dir) ?? own?.found ?? none;
}

const none: Patience = { factor: 1, why: 'nothing was measured' };

/** What was measured for the lab in this folder; undefined when nothing was. */
export function keptPatience(dir: string): Patience | undefined {
  try {
    return readJson<Patience>(file(dir));
  } catch {
    return undefined;
  }
}

/**
 * What LAB_PATIENCE says, or what a calibration of this machine tells, for the process that is about to bring up a lab.
 */
export async function firstPatience(): Promise<Patience> {
  const found = patienceAsked() === undefined ? await calibrated() : patience();
  await keepPatience(found);
  return found;
}

/**
 * Raises the patience of a lab when something in it took longer than on the reference machine, unless LAB_PATIENCE says
 * a number. It is never lowered.
 *
 * @returns the patience from now on, when it was raised
 */
export async function raisePatience(
  dir: string,
  what: string,
  took: number,
  expected: number,
): Promise<Patience | undefined> {
  const factor = factorOf(took, expected);
  if (patienceAsked() !== undefined || factor <= patience().factor) return undefined;
  const why = `${what} took ${inSeconds(took)}, ${inSeconds(expected)} on the reference machine`;
  await keepPatience({ factor, why }, dir);
  return { factor, why };
}

/** Takes this patience for the process, and for all that use the lab in the folder, when there is one. */
export async function keepPatience(found: Patience, dir?: string): Promise<void> {
  own = { found, dir };
  if (dir !== undefined) await writeAtomic(file(dir), JSON.stringify(found));
}

/**
 * The factor for something that took longer than on the reference machine, in halves and rounded up.
 *
 * @param took in the unit of `expected`
 */
export function factorOf(took: number, expected: number): number {
  const ratio = took / expected;
  return ratio < noise ? 1 : Math.min(mostPatience, Math.ceil(ratio * 2) / 2);
}

/** How long the known work takes on the two idle cores of the reference machine, in milliseconds. */
const knownWorkMs = 220;

/**
 * Measures how fast this machine is now, with known work on two cores at once (a lab keeps two busy), before any layer.
 * It takes about a second on the reference machine.
 */
export async function calibrated(): Promise<Patience> {
  const took: number[] = [];
  for (let i = 0; i < 3; i += 1) {
    const started = performance.now();
    await Promise.all([knownWork(), knownWork()]);
    took.push(performance.now() - started);
  }
  const ms = took.sort((a, b) => a - b)[1] ?? knownWorkMs;
  const cores = availableParallelism();
  return {
    factor: factorOf(ms, knownWorkMs),
    why: `known work took ${inSeconds(ms)}, ${inSeconds(knownWorkMs)} on the reference machine; ${String(cores)} processors`,
  };
}

const inSeconds = (ms: number): string => `${(ms / 1000).toFixed(ms < 1000 ? 2 : 1)} s`;

/** On a thread of its own. SHA-512 has no instruction of its own on most processors, so it tells of their speed. */
const knownWork = async (): Promise<Buffer> =>
  promisify(pbkdf2)('known work', 'istio-vm-conformance', 150_000, 64, 'sha512');
