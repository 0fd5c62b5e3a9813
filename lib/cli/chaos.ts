import { join } from 'node:path';
import { interactive } from '#lib/base/command.ts';
import { together } from '#lib/base/deadline.ts';
import { ours } from '#lib/base/deadlines.ts';
import { programOf } from '#lib/base/ended.ts';
import { messageOf, RefusedError } from '#lib/base/errors.ts';
import { writeAtomic } from '#lib/base/files.ts';
import { ownProgram } from '#lib/base/own-program.ts';
import { reportsDir } from '#lib/base/paths.ts';
import { duration, say } from '#lib/base/progress.ts';
import { settings as readSettings } from '#lib/base/settings.ts';
import { attachLab, type Lab } from '#lib/layers/lab.ts';
import { deeds, type Deed } from './chaos/deeds.ts';
import { refuseUnlessOwn } from './own-lab.ts';
import { lastWords, rebuilt, wrongAfter, wrongDuring } from './chaos/judge.ts';
import { victims, whileClaimsRun, whileIdle, type Death } from './chaos/programs.ts';
import { vitest } from './chaos/vitest.ts';

/*
 * npm run chaos [-- <part of a name>…]
 * npm run chaos -- --programs[=idle|claims] [<part of a name>…]
 *
 * Tests of the harness against its own lab, which is brought up when it does not stand, and kept. For each deed:
 * claims are looked at; when the first of them has ended, something is done to the lab; the run must come to its end
 * with verdicts that add up and no pass that could not be seen; and the next run on the same lab must be green, or
 * say what it had to rebuild. Prints a table, writes reports/chaos.json, and ends with status 1 when one is not so.
 *
 * With --programs each program of each node is killed with KILL instead, one at a time: while the lab idles, which must
 * heal, and while claims run, whose verdicts must be right (reports/chaos-programs.json).
 */

/** What came of one deed. */
interface Outcome {
  deed: string;
  /** What is wrong, a sentence each; none when all is as it must be. */
  wrong: string[];
  totals?: object;
  runMs?: number;
  /** How long what was taken away was away, when it came back by itself. */
  awayMs?: number;
  nextMs?: number;
  rebuilt: string[];
}

async function looked(deed: Deed): Promise<Outcome> {
  const outcome: Outcome = { deed: deed.name, wrong: [], rebuilt: [] };
  let begin: () => void = () => undefined;
  const begun = new Promise<void>((resolve) => {
    begin = resolve;
  });
  // the first claim may have to wait for its layer
  const running = vitest(deed.during, together(ours.chaosFirstClaim, deed.within), begin);
  running.catch(() => undefined);
  const early = running.then((ran) => {
    throw new Error(`The run ended before any claim had: status ${String(ran.code)}, ${lastWords(ran)}`);
  });
  early.catch(() => undefined);
  await Promise.race([begun, early]);
  const lab = await attachLab();
  say(`${deed.name}: claims are looked at, so now`);
  const away = { from: 0, to: Number.POSITIVE_INFINITY };
  await deed.do(lab).catch(async (error: unknown) => {
    await running.catch(() => undefined);
    throw error;
  });
  away.from = Date.now();
  const healing = deed.back?.(lab).then(() => {
    away.to = Date.now();
  });
  healing?.catch((error: unknown) => outcome.wrong.push(`it did not come back: ${messageOf(error)}`));
  const ran = await running;
  const late = (ran.report ? Date.parse(ran.report.finishedAt) : Date.now()) - away.from;
  if (late > deed.within.ms) outcome.wrong.push(`the run took ${duration(late)} after the deed`);
  await healing?.catch(() => undefined);
  outcome.wrong.push(...wrongDuring(ran, away, deed.cannotPass));
  outcome.runMs = Math.round(ran.ms);
  if (ran.report) outcome.totals = ran.report.totals;
  if (deed.back) outcome.awayMs = away.to - away.from;

  say(`${deed.name}: the next run`);
  const next = await vitest(deed.after, ours.chaosNextRun);
  outcome.wrong.push(...wrongAfter(next, deed.rebuilds));
  outcome.nextMs = Math.round(next.ms);
  outcome.rebuilt = rebuilt(next);
  return outcome;
}

/** "12 passed, 1 broken" */
function counted(totals: object = {}): string {
  const counts = (Object.entries(totals) as [string, number][]).filter(
    ([verdict, count]) => count > 0 && verdict !== 'not-selected',
  );
  return counts.map(([verdict, count]) => `${String(count)} ${verdict}`).join(', ') || 'no report';
}

function row({ deed, wrong, totals = {}, runMs = 0, awayMs, nextMs = 0, rebuilt: again }: Outcome): string {
  const cells = [
    deed,
    `${counted(totals)} in ${duration(runMs)}`,
    awayMs === undefined ? 'not by itself' : duration(awayMs),
    `${duration(nextMs)}${again.length > 0 ? `, rebuilt ${again.join('; ')}` : ''}`,
    wrong.length === 0 ? 'as required' : wrong.join('; '),
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
}

const table = (head: readonly string[], rows: string): void => {
  process.stdout.write(`| ${head.join(' | ')} |\n|${' --- |'.repeat(head.length)}\n${rows}`);
};

/** Does the deeds whose names have one of these words, or all. @returns whether something was wrong */
async function doDeeds(lab: Lab, words: readonly string[]): Promise<boolean> {
  const chosen = deeds.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
  const outcomes: Outcome[] = [];
  for (const deed of chosen) {
    if (deed.needs !== undefined && !lab.features.has(deed.needs)) {
      say(`${deed.name}: not done, as it needs a lab with ${deed.needs}`);
      continue;
    }
    const failed = (error: unknown): Outcome => ({ deed: deed.name, wrong: [messageOf(error)], rebuilt: [] });
    outcomes.push(await looked(deed).catch(failed));
    await writeAtomic(join(reportsDir(), 'chaos.json'), `${JSON.stringify(outcomes, undefined, 2)}\n`);
  }
  if (outcomes.length === 0) throw new RefusedError('None of these deeds can be done on this lab.');
  table(['deed', 'the run meanwhile', 'back after', 'the next run', ''], outcomes.map(row).join(''));
  return outcomes.some(({ wrong }) => wrong.length > 0);
}

function deathRow({ name, while: when, wrong, healedMs, totals, disturbed = [], silentMs }: Death): string {
  const cells = [
    name,
    when,
    healedMs === undefined ? counted(totals) : `healed in ${duration(healedMs)}`,
    disturbed.join(', '),
    silentMs === undefined ? '' : duration(silentMs),
    wrong.length === 0 ? 'as required' : wrong.join('; '),
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
}

/** Kills the programs whose names have one of these words, or all. @returns whether something was wrong */
async function killPrograms(lab: Lab, when: string, words: readonly string[]): Promise<boolean> {
  const chosen = victims(lab).filter(
    (one) => words.length === 0 || words.some((word) => programOf(one).includes(word)),
  );
  if (chosen.length === 0)
    throw new RefusedError(`There is no such program; there are: ${victims(lab).map(programOf).join(', ')}.`);
  const deaths: Death[] = [];
  const ways = [...(when === 'claims' ? [] : [whileIdle]), ...(when === 'idle' ? [] : [whileClaimsRun])];
  for (const way of ways)
    for (const victim of chosen) {
      say(`${programOf(victim)} is killed`);
      deaths.push(await way(lab, victim));
      const file = join(reportsDir(), 'chaos-programs.json');
      await writeAtomic(file, `${JSON.stringify(deaths, undefined, 2)}\n`);
    }
  const head = ['killed', 'while', 'came of it', 'claims it disturbed', 'longest silence', ''];
  table(head, deaths.map(deathRow).join(''));
  return deaths.some(({ wrong }) => wrong.length > 0);
}

try {
  const words = process.argv.slice(2);
  const [, , when = 'both'] = /^--programs(=(idle|claims))?$/.exec(words[0] ?? '') ?? [];
  const programs = words[0]?.startsWith('--programs') ?? false;
  if (programs && !/^--programs(=(idle|claims))?$/.test(words[0] ?? ''))
    throw new RefusedError(`--programs takes idle or claims, got "${words[0] ?? ''}".`);
  if (!programs && words.length > 0 && !deeds.some(({ name }) => words.some((word) => name.includes(word))))
    throw new RefusedError(`There is no such deed; there are: ${deeds.map(({ name }) => name).join(', ')}.`);
  const settings = readSettings();
  refuseUnlessOwn(settings, 'Chaos hits a lab');
  say(`Chaos on lab ${settings.lab.name}, which is kept; \`npm run lab -- down\` ends it.`);
  // what a deed takes away must be there
  if ((await interactive([...ownProgram('lib/cli/lab.ts'), 'up'])) !== 0)
    throw new Error('The lab did not come up, so there is nothing to be done to it.');
  const lab = await attachLab();
  const wrong = programs ? await killPrograms(lab, when, words.slice(1)) : await doDeeds(lab, words);
  process.exitCode = wrong ? 1 : 0;
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = error instanceof RefusedError ? 2 : 1;
}
