import { programOf } from '#lib/base/ended.ts';
import { duration } from '#lib/base/progress.ts';
import { seconds } from '#lib/base/until.ts';
import type { Conformance } from '#lib/report/conformance.ts';

/** A run of vitest as it ended; without a report it left none. */
export interface Ran {
  code: number;
  ms: number;
  /** The longest time in which it said nothing. */
  silentMs: number;
  report: Conformance | undefined;
  /** What was said on standard error. */
  said: string;
}

/** When what a deed took away was away, in milliseconds since 1970. */
export interface Away {
  from: number;
  to: number;
}

/** What a run said last, in one line. */
export const lastWords = ({ said }: Ran): string => said.trim().replaceAll(/\s+/g, ' ').slice(-300);

/** What is wrong with a run during which something was done to the lab, a sentence each. */
export function wrongDuring(ran: Ran, away: Away, cannotPass: RegExp): string[] {
  const { code, report } = ran;
  if (!report) return [`it ended with status ${String(code)} and without a report: ${lastWords(ran)}`];
  const all = Object.values(report.totals).reduce((sum, count) => sum + count, 0);
  const red = report.totals.failed + report.totals.broken + report.totals.blocked + report.errors.length;
  const byChance = report.claims.filter(
    (claim) => claim.verdict === 'passed' && cannotPass.test(claim.id) && inside(claim, away),
  );
  return [
    ...(all === report.claims.length ? [] : ['its verdicts do not add up']),
    ...(code === (red > 0 ? 1 : 0) ? [] : [`its status is ${String(code)}, with ${String(red)} red`]),
    ...byChance.map(({ id }) => `${id} passed although what it looks at was away all the time`),
  ];
}

/** Whether a claim was looked at while it was away, from beginning to end. */
function inside({ startedAt, durationMs }: { startedAt?: string; durationMs: number }, away: Away): boolean {
  if (startedAt === undefined) return false;
  const from = Date.parse(startedAt);
  return from >= away.from && from + durationMs <= away.to;
}

/** What an earlier run had built that the run did not find, and raised anew: as the layers say it. */
export const rebuilt = ({ said }: Ran): string[] =>
  [...said.matchAll(/^\S+ (.*): what an earlier run built does not stand any more \((.*)\)$/gm)].map(
    ([, layer = '', why = '']) => `${layer} (${why})`,
  );

/** What is wrong with the run after it: it must be green, and not have rebuilt what nothing was done to. */
export function wrongAfter(ran: Ran, rebuilds?: RegExp): string[] {
  if (!ran.report)
    return [`the next run ended with status ${String(ran.code)} and without a report: ${lastWords(ran)}`];
  const red = ran.report.claims.filter(({ verdict }) => ['failed', 'broken', 'blocked'].includes(verdict));
  const odd = rebuilt(ran).filter((what) => !rebuilds?.test(what));
  return [
    ...red.map(({ id, verdict }) => `${id} was ${verdict} in the next run`),
    ...(ran.code === 0 || red.length > 0 ? [] : [`the next run ended with status ${String(ran.code)}`]),
    ...odd.map((what) => `the next run rebuilt ${what}`),
  ];
}

/** How long nothing may be said. */
const silence = seconds(20);

/** What is wrong with a run in which a program of the lab was killed: see `undisturbed.ts` for what its verdicts may be. */
export function wrongAfterDeath(ran: Ran, name: string): string[] {
  const { report, silentMs } = ran;
  const silent = silentMs > silence ? [`it said nothing for ${duration(silentMs)}`] : [];
  if (!report) return [...wrongDuring(ran, { from: 0, to: 0 }, /^$/), ...silent];
  const restarts = report.restarts.filter((one) => programOf(one) === name);
  const disturbed = restarts.flatMap(({ claims }) => claims);
  const unnamed = report.claims.filter(
    ({ verdict, reason = '' }) => ['failed', 'broken', 'blocked'].includes(verdict) && !reason.includes(name),
  );
  const untold = report.claims.filter(
    ({ id, verdict, disturbedBy }) => verdict === 'passed' && disturbed.includes(id) && !disturbedBy,
  );
  return [
    ...wrongDuring(ran, { from: 0, to: 0 }, /^$/),
    ...silent,
    ...(restarts.length > 0 ? [] : ['its report does not tell that the program died']),
    ...unnamed.map(({ id, verdict }) => `${id} was ${verdict} without its name`),
    ...untold.map(({ id }) => `${id} passed as if nothing had died`),
  ];
}
