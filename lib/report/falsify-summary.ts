import { duration } from '#lib/base/progress.ts';
import type { FalsifiedClaim, FalsifyReport } from './falsified.ts';
import { oneLine, table } from './markdown.ts';

const title = '## Falsifiers';

/** "Falsifiers: 70 of 73 killed, 71 restored; counted apart: 2 unfalsifiable, 0 not applicable" */
export function falsifiersSum({ totals }: FalsifyReport): string {
  const judged = totals.killed + totals.survived + totals['not-judged'];
  const apart = `${String(totals.unfalsifiable)} unfalsifiable, ${String(totals['not-applicable'])} not applicable`;
  return `Falsifiers: ${String(totals.killed)} of ${String(judged)} killed, ${String(totals.restored)} restored; counted apart: ${apart}`;
}

/** Killed or not and why, put back or not, how long, and what went red with it: a row for each claim. */
export function falsifiersTable({ claims }: FalsifyReport): string {
  return table(
    ['claim', 'breaks', 'killed', 'because', 'restored', 'green, red, green', 'also red'],
    claims.map((claim) => [
      `\`${claim.id}\``,
      [claim.breaks, claim.change].filter(Boolean).join(': ') || '-',
      claim.ending === 'killed' ? 'yes' : claim.ending === 'survived' ? 'no' : claim.ending,
      cut(claim.ending === 'killed' ? claim.red : claim.why),
      claim.restored === null ? '-' : claim.restored ? 'yes' : `no: ${cut(claim.notRestored)}`,
      times(claim),
      claim.alsoRed.map((id) => `\`${id}\``).join(' ') || '-',
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
    falsifiersSum(report),
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
