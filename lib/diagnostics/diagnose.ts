import { writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import type { RunOptions } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { messageOf } from '#lib/base/errors.ts';
import { reportsDir, root } from '#lib/base/paths.ts';
import { recorded } from '#lib/base/recorder.ts';
import { redact } from '#lib/base/redact.ts';
import { seconds } from '#lib/base/until.ts';
import { attachLab } from '#lib/layers/lab.ts';
import { withhold, writeBundle, type Piece } from './bundle.ts';
import type { Known } from './scan.ts';
import { secretsOf } from './secrets.ts';
import { sourcesOf, type Told } from './sources.ts';
import { merged, page, type Stream, type Window } from './timeline.ts';

/** A claim that was seen to fail, or whose proof broke. */
export interface Failure {
  id: string;
  /** When looking at it began and ended, in milliseconds since 1970. */
  from: number;
  to: number;
  verdict: string;
  reason: string;
}

/** What led to a failure may have begun before anybody looked. */
const before = seconds(15);

let spent = 0;

/**
 * How long the next bundle may take: a run in which much fails must not take more than twice as long as one in which
 * nothing does, so what bundles took before counts.
 *
 * @param age how long this process has been at it, in milliseconds
 */
export const allowance = (age: number, spentBefore: number): number =>
  Math.min(ours.bundle.ms, Math.max(ours.bundleLeast.ms, Math.round(age - 2 * spentBefore)));

/** Somebody who is asked, and tells what he knows of a time. */
export interface Ask {
  name: string;
  ask(window: Window, options: RunOptions): Promise<Told>;
}

/**
 * Collects what tells why a claim failed, while the situation that it failed in still stands.
 *
 * @returns the folder of the bundle, relative to the checkout
 * @throws Error when there is no lab to ask
 */
export async function diagnose(failure: Failure): Promise<string> {
  const lab = await attachLab();
  const folder = join(reportsDir(), 'diagnostics', failure.id);
  const asks = sourcesOf(lab).map(({ name, ask }): Ask => ({
    name,
    ask: async (window, options) => ask(lab, window, options),
  }));
  const started = performance.now();
  await bundleOf(failure, folder, asks, await secretsOf(lab), allowance(started, spent));
  spent += performance.now() - started;
  return relative(root, folder);
}

/** Asks all at once, and writes what those told who answered in time, in milliseconds. */
export async function bundleOf(
  failure: Failure,
  folder: string,
  asks: readonly Ask[],
  known: readonly Known[],
  within: number,
): Promise<void> {
  const started = performance.now();
  const window = { from: failure.from - before, to: failure.to };
  const answers = await Promise.all(asks.map(async (one) => answerOf(one, window, within)));
  const told = answers.flatMap((answer) => answer.told ?? []);
  const pieces = [timeline(failure, told), ...told.flatMap((one) => one.pieces)];
  const notes = await writeBundle(folder, pieces, known);
  const took = performance.now() - started;
  await writeFile(join(folder, 'index.txt'), redact(index(failure, answers, notes, took)), { mode: 0o600 });
  await withhold(folder, known);
}

/** What came of asking a source. */
interface Answer {
  source: string;
  ms: number;
  told?: Told;
  failed?: string;
}

async function answerOf({ name, ask }: Ask, window: Window, within: number): Promise<Answer> {
  const started = performance.now();
  const ms = (): number => Math.round(performance.now() - started);
  const signal = AbortSignal.timeout(within);
  const options: RunOptions = { within, signal };
  try {
    const told = await Promise.race([
      ask(window, options),
      new Promise<never>((_, reject) => {
        signal.addEventListener('abort', () => {
          reject(new Error(`No answer within ${String(within / 1000)} s.`));
        });
      }),
    ]);
    return { source: name, ms: ms(), told };
  } catch (error) {
    return { source: name, ms: ms(), failed: messageOf(error) };
  }
}

/** What happened from a little before the claim until now, whoever tells it. */
function timeline({ id, from, to, verdict, reason }: Failure, told: readonly Told[]): Piece {
  const now = Date.now();
  const iso = (at: number): string => new Date(at).toISOString();
  const own: Stream[] = [
    { from: 'CLAIM', text: `${iso(from)} ${id} begins\n${iso(to)} ${id} ${verdict}: ${reason}` },
    {
      from: 'harness',
      text: recorded(from - before)
        .filter(({ at }) => at <= to)
        .map(({ at, what, end }) => `${iso(at)} ${inOneLine(what)} -> ${inOneLine(end)}`)
        .join('\n'),
    },
  ];
  const streams = [...own, ...told.flatMap((one) => one.streams)];
  return { file: 'timeline.txt', text: page(merged(streams, { from: from - before, to: now })) };
}

/** How a command gets into the lab is the same for all of them, and says nothing. */
const inOneLine = (text: string): string =>
  text
    .replace(/^(?:nsenter (?:-\S+ )*?(?:\d+ )?(?:-\S+ )*-- )+(?:env PATH=\S+ )?/, '')
    .replaceAll(/\s+/g, ' ');

function index(
  { id, from, to, verdict, reason }: Failure,
  answers: readonly Answer[],
  notes: readonly string[],
  took: number,
): string {
  const silent = answers.flatMap(({ source, failed, told }) => [
    ...(failed === undefined ? [] : [`${source}: ${failed}`]),
    ...(told?.missing ?? []).map((what) => `${source}: ${what}`),
  ]);
  const listed = (lines: readonly string[]): string =>
    lines.length === 0 ? '  nothing' : lines.map((line) => `  ${line.replaceAll('\n', '\n    ')}`).join('\n');
  return [
    `${id} ${verdict}: ${reason}`,
    `Looked at from ${new Date(from).toISOString()} to ${new Date(to).toISOString()}; collected in ${(took / 1000).toFixed(1)} s after that, before anything was put back.`,
    'Begin with timeline.txt: all logs, events, access logs and our own commands by time.',
    '',
    'Did not answer:',
    listed(silent),
    '',
    'Files:',
    listed(notes),
    '',
    'How long who took to answer:',
    listed(answers.map(({ source, ms }) => `${source}: ${String(ms)} ms`)),
    '',
  ].join('\n');
}
