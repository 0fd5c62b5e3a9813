import { messageOf } from '#lib/base/errors.ts';
import { duration } from '#lib/base/progress.ts';
import { runLabel } from './diff.ts';
import { runNames, storedRun } from './stored-runs.ts';
import { asked } from './summary.ts';

/** The runs of a history, a line each, the newest last; a file that is none says so in its line. */
export function runList(history: string): string {
  const names = runNames(history);
  if (names.length === 0) return `No run is kept in ${history} yet.\n`;
  const width = Math.max(...names.map(({ length }) => length));
  return names.map((name) => `${name.padEnd(width)}  ${told(history, name)}\n`).join('');
}

function told(history: string, name: string): string {
  try {
    const { report } = storedRun(history, name);
    const { istio, lab, totals } = runLabel(name, report);
    const red = totals.failed + totals.broken + totals.blocked;
    const took = duration(Date.parse(report.finishedAt) - Date.parse(report.startedAt));
    const part = report.selection ? `, only ${asked(report.selection)}` : '';
    return `Istio ${istio}, lab ${lab || '(unknown)'}, ${String(totals.passed)} passed, ${String(red)} red, ${took}${part}`;
  } catch (error) {
    return messageOf(error);
  }
}
