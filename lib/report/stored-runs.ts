import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf, RefusedError } from '#lib/base/errors.ts';
import { exists } from '#lib/base/files.ts';
import { nearest } from '#lib/claims/nearest.ts';
import type { Conformance } from './conformance.ts';
import { askedVariant, type NamedRun } from './diff.ts';

const prefix = 'conformance-';
const suffix = '.json';

/** What the file of a run is called in the history: when it started, and the versions that were asked for. */
export function historyFile(report: Pick<Conformance, 'startedAt' | 'config'>): string {
  return `${prefix}${report.startedAt.replaceAll(':', '-')}-${askedVariant(report)}${suffix}`;
}

/** The names of the runs that a history holds, the oldest first; none when there is no such folder. */
export function runNames(history: string): string[] {
  if (!exists(history)) return [];
  return readdirSync(history)
    .filter((file) => file.startsWith(prefix) && file.endsWith(suffix))
    .map((file) => file.slice(prefix.length, -suffix.length))
    .sort();
}

/** A run of the history by its name. @throws RefusedError when the file is no report of a run */
export const storedRun = (history: string, name: string): NamedRun => ({
  name,
  report: reportIn(join(history, `${prefix}${name}${suffix}`)),
});

/**
 * The run that a word stands for: a conformance.json, a folder that has one, `latest` and `previous` of the history, a
 * name of the history, or a part of one (of several that have it, the newest).
 *
 * @throws RefusedError when there is no such run, or it is no report of a run
 */
export function findRun(word: string, history: string): NamedRun {
  const names = runNames(history);
  const byPlace = { latest: names.at(-1), previous: names.at(-2) }[word];
  if (byPlace !== undefined) return storedRun(history, byPlace);
  if (names.includes(word)) return storedRun(history, word);
  if (exists(word)) {
    const file = statSync(word).isDirectory() ? join(word, 'conformance.json') : word;
    if (!exists(file)) throw new RefusedError(`${word} is a folder without a conformance.json.`);
    return { name: word, report: reportIn(file) };
  }
  const found = word === '' ? undefined : names.findLast((name) => name.includes(word));
  if (found !== undefined) return storedRun(history, found);
  const near = names.length > 0 ? `Near it: ${nearest(word, names).join(', ')}.` : 'The history is empty.';
  throw new RefusedError(
    `There is no run "${word}": it is no file or folder, and no name in ${history} has it. ${near}`,
  );
}

/** A conformance.json. What runs before this version of the report did not tell is empty. */
function reportIn(file: string): Conformance {
  const report = parsed(file);
  if (report?.schemaVersion !== 1 || !Array.isArray(report.claims))
    throw new RefusedError(`${file} is no report of a run: it has no claims in the form of schemaVersion 1.`);
  const claims = report.claims.map((claim) => ({ ...claim, waits: claim.waits ?? [] }));
  return { ...report, cause: report.cause ?? null, claims } as Conformance;
}

type Stored = Partial<Omit<Conformance, 'claims'>> & {
  claims?: (Omit<Conformance['claims'][number], 'waits'> &
    Partial<Pick<Conformance['claims'][number], 'waits'>>)[];
};

function parsed(file: string): Stored | null {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Stored | null;
  } catch (error) {
    throw new RefusedError(`${file} is no report of a run: ${messageOf(error)}`);
  }
}
