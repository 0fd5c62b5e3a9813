import { styleText } from 'node:util';
import { duration } from '#lib/base/progress.ts';
import type { Judgement } from '#lib/claims/outcome.ts';
import type { Conformance } from './conformance.ts';
import { marks } from './marks.ts';
import { reasonBeside } from './reason.ts';
import { restartLine } from './restarts.ts';
import type { Result } from './results.ts';
import { asked, replacedIn, sum } from './summary.ts';

const paints: Readonly<Record<string, 'green' | 'red' | 'yellow' | 'dim'>> = {
  passed: 'green',
  failed: 'red',
  broken: 'red',
  blocked: 'yellow',
  'not-applicable': 'dim',
};

/** "  ✓ cluster.nodes-ready  0.2 s" */
export function ended(
  id: string,
  durationMs: number,
  { verdict, feature }: Judgement,
  disturbed = false,
): string {
  const word = verdict === 'passed' ? '' : `  ${verdict}${feature === undefined ? '' : ` (${feature})`}`;
  return `  ${painted(verdict, marks[verdict])} ${id}${painted(verdict, word)}  ${duration(durationMs)}${disturbed ? '  (a program of the lab died meanwhile)' : ''}`;
}

/** The line that shows, every ten seconds, that a claim is still being looked at. */
export const running = (id: string, ms: number, within: number): string =>
  `  … ${id} still running, ${String(Math.round(ms / 1000))} s of at most ${String(Math.round(within / 1000))} s`;

/** What is said after the last claim: what went wrong and how to look again, and the sum. */
export function closing(report: Conformance, problems: readonly string[]): string {
  const { claims, errors, totals, selection } = report;
  const of = (verdict: string): Result[] => claims.filter((claim) => claim.verdict === verdict);
  const replaced = replacedIn(report);
  const took = duration(Date.parse(report.finishedAt) - Date.parse(report.startedAt));
  return [
    ...of('failed').map(failure),
    ...of('broken').map(failure),
    ...blocked(of('blocked')),
    ...lacking(of('not-applicable')),
    ...errors.map((error) => `\n${painted('broken', 'Outside of any claim')}: ${error}`),
    ...problems.map((problem) => `\n${painted('broken', problem)}`),
    ...restarted(report.restarts),
    '',
    ...(report.cause ? [`${painted('failed', 'Likely cause')}: ${report.cause.line}`] : []),
    ...(replaced.length > 0 ? [`Replaced for this run: ${replaced.join(', ')}`] : []),
    ...(selection ? [`Asked for: ${asked(selection)}`] : []),
    `${sum(totals)} (${took})`,
  ].join('\n');
}

function failure(result: Result): string {
  const { id, verdict, statement, corrected, expected, seen, sources, diagnostics, rerun } = result;
  const source = sources.map(({ source: name, section }) => `${name}, "${section}"`).join('\n');
  const rows: [string, string | undefined][] = [
    ['claim', corrected ?? statement],
    ['expected', expected],
    ['seen', seen],
    [verdict === 'failed' ? 'because' : 'reason', reasonBeside(result)],
    ['source', source],
    ['diagnostics', diagnostics && `${diagnostics}/`],
    ['again', rerun],
  ];
  const shown = rows.filter((row): row is [string, string] => Boolean(row[1]));
  const lines = shown.map(
    ([name, text]) => `  ${name.padEnd(9)} ${text.trim().replaceAll('\n', `\n${' '.repeat(12)}`)}`,
  );
  return [`\n${painted(verdict, `${marks[verdict]} ${id} ${verdict}`)}`, ...lines].join('\n');
}

/** Claims that were blocked for the same reason are told once. */
function blocked(claims: readonly Result[]): string[] {
  const reasons = [...new Set(claims.map(({ reason }) => reason ?? ''))];
  return reasons.map((reason) => {
    const ids = claims.filter((claim) => (claim.reason ?? '') === reason).map(({ id }) => id);
    return `\n${painted('blocked', `■ ${String(ids.length)} blocked`)}: ${reason}\n  ${ids.join(', ')}`;
  });
}

/** What could not be asserted on this lab, by the feature that it lacks. */
function lacking(claims: readonly Result[]): string[] {
  const features = [...new Set(claims.map(({ feature }) => feature ?? '?'))].toSorted();
  return features.map((lacks) => {
    const ids = claims.filter(({ feature = '?' }) => feature === lacks).map(({ id }) => id);
    const head = `${marks['not-applicable']} ${String(ids.length)} not applicable`;
    return `\n${painted('not-applicable', head)}: this lab has no ${lacks}\n  ${ids.join(', ')}`;
  });
}

/** What died in the lab and was started again; nothing is made of it silently. */
function restarted(restarts: Conformance['restarts']): string[] {
  if (restarts.length === 0) return [];
  const head = `${String(restarts.length)} ${restarts.length === 1 ? 'time a program' : 'times programs'} of the lab ended and ${restarts.length === 1 ? 'was' : 'were'} started again`;
  return [`\n${painted('blocked', head)}:`, ...restarts.map((one) => `  ${restartLine(one)}`)];
}

const painted = (verdict: string, text: string): string =>
  process.stdout.isTTY && !process.env['NO_COLOR'] && text ? styleText(paints[verdict] ?? 'dim', text) : text;
