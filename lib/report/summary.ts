import { duration } from '#lib/base/progress.ts';
import type { Settings } from '#lib/base/settings.ts';
import { suites } from '#lib/claims/catalogue.ts';
import { verdicts } from '#lib/claims/outcome.ts';
import type { Conformance } from './conformance.ts';
import { oneLine, table } from './markdown.ts';
import { restartLine } from './restarts.ts';
import { totalsOf, type Result, type Totals } from './results.ts';

/** The report as a page to read in a pull request or a job's summary. */
export function summary(report: Conformance): string {
  const { claims, selection, lab, measured, timeline, restarts, errors } = report;
  const took = duration(Date.parse(report.finishedAt) - Date.parse(report.startedAt));
  const parts = [
    '# Conformance of VMs in an Istio mesh',
    sum(report.totals),
    `Started ${report.startedAt}, took ${took}. Lab ${lab.name || '(unknown)'}, provider ${lab.provider || '(unknown)'}.`,
  ];
  const replaced = replacedIn(report);
  if (replaced.length > 0) parts.push(`Manifests that were replaced for this run: ${replaced.join(', ')}.`);
  if (report.cause) parts.push(`**Likely cause:** ${oneLine(report.cause.line)}.`);
  if (selection) parts.push(`Only a part was asked for: ${asked(selection)}.`);
  parts.push(
    table(
      ['suite', ...verdicts],
      suites.map((suite) => [suite, ...counts(claims, suite)]),
    ),
  );
  if (Object.keys(measured).length > 0)
    parts.push('## Measured', table(['what', 'version'], Object.entries(measured)));
  if (timeline.length > 0) {
    parts.push(
      '## Layers',
      table(
        ['step', 'took'],
        timeline.map(({ name, ms }) => [name, duration(ms)]),
      ),
    );
  }
  if (restarts.length > 0) {
    parts.push(
      `## Programs of the lab that died and were started again (${String(restarts.length)})`,
      restarts.map((one) => `- ${oneLine(restartLine(one))}`).join('\n'),
    );
  }
  if (errors.length > 0)
    parts.push('## Outside of any claim', errors.map((error) => `- ${oneLine(error)}`).join('\n'));
  parts.push(...section('Failed', claims, 'failed', failure));
  parts.push(...section('Broken', claims, 'broken', brief));
  parts.push(...section('Blocked', claims, 'blocked', brief));
  parts.push(...section('Not applicable', claims, 'not-applicable', brief));
  const differing = claims.filter(({ found, verdict }) => found && verdict !== 'not-selected');
  if (differing.length > 0) {
    parts.push(`## Where the running system differs from the source (${String(differing.length)})`);
    parts.push(differing.map(difference).join('\n'));
  }
  parts.push(
    ...section('Passed', claims, 'passed', ({ id, durationMs }) => `- \`${id}\` (${duration(durationMs)})`),
  );
  const apart = claims.filter(({ looksAt, verdict }) => looksAt && verdict !== 'not-selected');
  if (apart.length > 0) {
    const ids = apart.map(({ id }) => `\`${id}\``).join(', ');
    parts.push(
      `${String(apart.length)} of all these look at this repository alone, whatever lab stands: ${ids}.`,
    );
  }
  const waited = longestWaits(claims);
  if (waited.length > 0) parts.push('## Longest waits', table(['claim', 'waited for', 'took'], waited));
  parts.push(...section('Not implemented', claims, 'not-implemented', ({ id }) => `- \`${id}\``));
  return `${parts.join('\n\n')}\n`;
}

/** The manifests under fixtures/ that others took the place of, by their path from there. */
export function replacedIn({ config }: Pick<Conformance, 'config'>): readonly string[] {
  const { overlay } = config as { overlay?: Settings['overlay'] };
  return overlay?.files ?? [];
}

/** "257 claims: 75 passed, 0 failed, …" */
export function sum(totals: Totals): string {
  const entries = Object.entries(totals);
  const all = entries.reduce((count, [, n]) => count + n, 0);
  return `${String(all)} claims: ${entries.map(([verdict, n]) => `${String(n)} ${verdict}`).join(', ')}`;
}

/** "suites/04-traffic, -t policy.netpol" */
export function asked({ filters, pattern }: { filters: string[]; pattern: string | null }): string {
  return [...filters, ...(pattern === null ? [] : [`-t ${pattern}`])].join(', ') || 'some projects';
}

function counts(claims: readonly Result[], suite: string): string[] {
  const totals = totalsOf(claims.filter((claim) => claim.suite === suite));
  return verdicts.map((verdict) => String(totals[verdict]));
}

function section(
  title: string,
  claims: readonly Result[],
  verdict: string,
  line: (result: Result) => string,
): string[] {
  const found = claims.filter((claim) => claim.verdict === verdict);
  return found.length === 0 ? [] : [`## ${title} (${String(found.length)})`, found.map(line).join('\n')];
}

/** The ten longest waits of a second or more: how long the system took to come to what a claim expects. */
function longestWaits(claims: readonly Result[]): string[][] {
  const waits = claims.flatMap(({ id, waits: all }) => all.map((wait) => ({ id, ...wait })));
  return waits
    .filter(({ ms }) => ms >= 1000)
    .sort((a, b) => b.ms - a.ms)
    .slice(0, 10)
    .map(({ id, what, ms }) => [`\`${id}\``, oneLine(what), duration(ms)]);
}

function failure({ id, statement, expected, seen, reason, sources, diagnostics, rerun }: Result): string {
  const lines = [
    `- \`${id}\`: ${oneLine(statement)}`,
    ...(expected === undefined ? [] : [`  - expected: ${code(expected)}`]),
    ...(seen === undefined ? [] : [`  - seen: ${code(seen)}`]),
    `  - ${oneLine(reason ?? '')}`,
    `  - source: ${sources.map(({ source, section: part }) => `${source}, "${part}"`).join('; ')}`,
    ...(diagnostics === undefined ? [] : [`  - diagnostics: \`${diagnostics}/\``]),
    `  - again: \`${rerun}\``,
  ];
  return lines.join('\n');
}

const difference = ({ id, found = [] }: Result): string =>
  `- \`${id}\`: ${found.map(({ istio, seen }) => `${oneLine(seen)} (Istio ${istio.join(', ')})`).join(' ')}`;

const brief = ({ id, reason = '', diagnostics }: Result): string =>
  `- \`${id}\`: ${oneLine(reason)}${diagnostics === undefined ? '' : ` (diagnostics: \`${diagnostics}/\`)`}`;

const code = (text: string): string => `\`${oneLine(text).replaceAll('`', "'").slice(0, 300)}\``;
