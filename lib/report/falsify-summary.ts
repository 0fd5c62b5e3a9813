import { duration } from '#lib/base/progress.ts';
import type { FalsifiedClaim, FalsifyReport } from './falsified.ts';
import { oneLine, table } from './markdown.ts';

const title = '## Falsifiers';

/** "The layer that was broken is named as the likely cause of 68 of 70", and how large the bundles are, if there are any. */
export function causesSum({ totals, claims }: FalsifyReport): string {
  const named = `The layer that was broken is named as the likely cause of ${String(totals['cause-named'])} of ${String(totals.killed)}`;
  const bundles = claims.flatMap(({ bundle }) => bundle ?? []);
  if (bundles.length === 0) return named;
  const largest = Math.max(...bundles.map(({ bytes }) => bytes)) / 2 ** 20;
  const shortest = Math.min(...bundles.map(({ timeline }) => timeline));
  return `${named}; ${String(bundles.length)} bundles, the largest ${largest.toFixed(1)} MiB, the shortest timeline ${String(shortest)} lines`;
}

/** "Falsifiers: 70 of 73 killed, 71 restored; counted apart: 2 unfalsifiable, 0 not applicable" */
export function falsifiersSum({ totals }: FalsifyReport): string {
  const judged = totals.killed + totals.survived + totals['not-judged'];
  const apart = `${String(totals.unfalsifiable)} unfalsifiable, ${String(totals['not-applicable'])} not applicable`;
  return `Falsifiers: ${String(totals.killed)} of ${String(judged)} killed, ${String(totals.restored)} restored; counted apart: ${apart}`;
}

/** Killed or not and why, put back or not, how long, and what went red with it: a row for each claim. */
export function falsifiersTable({ claims }: FalsifyReport): string {
  return table(
    ['claim', 'breaks', 'killed', 'because', 'restored', 'green, red, green', 'also red', 'likely cause'],
    claims.map((claim) => [
      `\`${claim.id}\``,
      [claim.breaks, claim.change].filter(Boolean).join(': ') || '-',
      claim.ending === 'killed' ? 'yes' : claim.ending === 'survived' ? 'no' : claim.ending,
      cut(claim.ending === 'killed' ? claim.red : claim.why),
      claim.restored === null ? '-' : claim.restored ? 'yes' : `no: ${cut(claim.notRestored)}`,
      times(claim),
      claim.alsoRed.map((id) => `\`${id}\``).join(' ') || '-',
      claim.cause === undefined
        ? '-'
        : `${claim.cause.layer === claim.breaks ? '' : 'WRONG: '}${claim.cause.layer}`,
    ]),
  );
}

const times = ({ ms: { before, broken, after } }: FalsifiedClaim): string =>
  [before, broken, after].map((ms) => (ms === undefined ? '-' : duration(ms))).join(', ');

const cut = (text = ''): string => {
  const line = oneLine(text);
  return line.length > 200 ? `${line.slice(0, 200)}…` : line;
};

/** The section about falsifiers, for summary.md. */
export function falsifiersSection(report: FalsifyReport): string {
  const took = duration(Date.parse(report.finishedAt) - Date.parse(report.startedAt));
  const parts = [
    title,
    `${falsifiersSum(report)}. ${causesSum(report)}.`,
    `\`npm run falsify\` on lab ${report.lab.name}, started ${report.startedAt}, took ${took}.`,
  ];
  if (report.selection) parts.push('Only a part of the claims was asked for.');
  if (report.errors.length > 0)
    parts.push(report.errors.map((error) => `- Outside of any claim: ${oneLine(error)}`).join('\n'));
  parts.push(`Looked at while each was broken: ${report.witnesses.join(', ') || 'none'}.`);
  parts.push(falsifiersTable(report));
  return `${parts.join('\n\n')}\n`;
}

/** A summary with this section at its end, in place of an earlier one. */
export function withFalsifiers(summary: string, report: FalsifyReport): string {
  const [before = ''] = summary.split(`\n${title}\n`);
  const start = before.trim() === '' ? '# Conformance of VMs in an Istio mesh' : before.trimEnd();
  return `${start}\n\n${falsifiersSection(report)}`;
}
