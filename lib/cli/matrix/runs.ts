import { copyFile, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { attempt } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { messageOf } from '#lib/base/errors.ts';
import { readJson, writeAtomic } from '#lib/base/files.ts';
import { root } from '#lib/base/paths.ts';
import { duration, say } from '#lib/base/progress.ts';
import type { Bounded } from '#lib/report/bounds.ts';
import type { Conformance } from '#lib/report/conformance.ts';
import { generateAllureReport, resultsOf } from '#lib/report/allure.ts';
import { matrixMarkdown } from '#lib/report/matrix-text.ts';
import { matrix, type Matrix, type VersionRun } from '#lib/report/matrix.ts';
import { matrixPage } from '#lib/report/page/matrix.ts';
import { allureHistory, outputsIn } from '#lib/report/outputs.ts';
import { historyFile } from '#lib/report/stored-runs.ts';
import type { Plan, Planned } from './plan.ts';

/** Building an unknown version takes half an hour on two cores; a run that takes longer than this hangs. */
const runWithin = ours.matrixRun;

interface Where {
  /** What runs the suites; the words of the plan are added. */
  command: readonly string[];
  /** The folder of the matrix, which is emptied. */
  into: string;
  /** The folder in which runs are kept. */
  history: string;
  /** The claims of the catalogue. */
  claims: readonly Bounded[];
  /** Whether an Allure report over all versions is made. */
  html: boolean;
  /** Calls the runs off; what there is by then is reported. */
  signal: AbortSignal;
}

/**
 * Runs every version, as many at once as the plan says, and goes on when one fails. Writes matrix.json, matrix.md and
 * index.html, keeps each run in the history, and leaves what each run wrote and said (run.log) in a folder of its own.
 */
export async function runMatrix({ runs, words, atOnce }: Plan, where: Where): Promise<Matrix> {
  const { into, history, claims, html } = where;
  const startedAt = new Date();
  await rm(into, { recursive: true, force: true });
  const left = [...runs];
  const ended: VersionRun[] = [];
  const lane = async (): Promise<void> => {
    for (let next = left.shift(); next; next = left.shift()) ended.push(await runOne(next, words, where));
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  const inOrder = runs.flatMap(({ version }) => ended.find((one) => one.version === version) ?? []);
  const made = matrix(inOrder, claims, { startedAt, finishedAt: new Date(), asked: words });
  await writeAtomic(join(into, 'matrix.json'), `${JSON.stringify(made, undefined, 2)}\n`);
  await writeAtomic(join(into, 'matrix.md'), matrixMarkdown(made));
  await writeAtomic(outputsIn(into).indexHtml, matrixPage(made));
  await mkdir(history, { recursive: true });
  for (const { folder, report } of inOrder)
    if (report) await copyFile(outputsIn(join(into, folder)).json, join(history, historyFile(report)));
  if (html) await allureOver(inOrder, where);
  return made;
}

/** One Allure report over all versions. Without it the matrix says all the same, so that there is none is told, no more. */
async function allureOver(runs: readonly VersionRun[], { into, history }: Where): Promise<void> {
  const reported = runs.flatMap(({ folder, report }) =>
    report ? [resultsOf(report, outputsIn(join(into, folder)).allureResults)] : [],
  );
  if (reported.length === 0) return;
  await generateAllureReport(reported, outputsIn(into).allureReport, allureHistory(history)).catch(
    (error: unknown) => {
      say(`There is no Allure report over the versions: ${messageOf(error)}`);
    },
  );
}

async function runOne(planned: Planned, words: readonly string[], where: Where): Promise<VersionRun> {
  const { version, folder, env, settings } = planned;
  const { istioVersion: istio, lab } = settings;
  const at = join(where.into, folder);
  await mkdir(at, { recursive: true });
  say(`Istio ${version} in lab ${lab.name}`);
  const started = performance.now();
  const { status, said } = await ran([...where.command, ...words], version, {
    env,
    log: join(at, 'run.log'),
    signal: where.signal,
  });
  const ms = Math.round(performance.now() - started);
  say(`Istio ${version} ended with status ${String(status)} after ${duration(ms)}`);
  const report = reportIn(outputsIn(at).json);
  const { vmOs } = lab;
  return { version, istio, vmOs, status, ms, folder, ...(report ? { report } : { said }) };
}

/** The exit status and the last words; a run that could not be ended well has status 1, and says why. */
async function ran(
  words: readonly string[],
  version: string,
  options: { env: Record<string, string>; log: string; signal: AbortSignal },
): Promise<{ status: number; said: string }> {
  let said = 'it said nothing';
  const onLine = (line: string): void => {
    process.stdout.write(`[${version}] ${line}\n`);
    if (line.trim() !== '') said = line.trim();
  };
  try {
    if (options.signal.aborted) return { status: 1, said: 'It was called off before it began.' };
    const { code } = await attempt(words, { ...options, cwd: root, within: runWithin, onLine });
    return { status: code, said };
  } catch (error) {
    return { status: 1, said: messageOf(error) };
  }
}

/** What a run reported; a report that cannot be read is none. */
function reportIn(file: string): Conformance | undefined {
  try {
    return readJson<Conformance>(file);
  } catch {
    return undefined;
  }
}
