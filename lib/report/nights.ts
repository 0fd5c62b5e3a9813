import { join } from 'node:path';
import { RefusedError } from '#lib/base/errors.ts';
import { exists, readJson } from '#lib/base/files.ts';
import type { Conformance } from './conformance.ts';
import { diffMarkdown } from './diff-text.ts';
import { askedVariant, diff, isEmpty, type NamedRun, type RunDiff } from './diff.ts';
import { oneLine } from './markdown.ts';
import type { Matrix, MatrixVersion } from './matrix.ts';
import { outputsIn } from './outputs.ts';
import { findRun, runNames, storedRun } from './stored-runs.ts';

/** What a night has to say of one version. */
export interface Night {
  version: string;
  /** What changed since the last run of this version before; null when there is none, or this one left no report. */
  since: RunDiff | null;
  /** What the run said last, when it left no report. */
  said: string | null;
}

/** Something that got worse, once for each version. */
export interface Worse {
  /** Stays the same from night to night: a claim's id, or what else it is. */
  key: string;
  text: string;
}

/**
 * What each version of the last matrix says against the run before it: the newest earlier one in the history with the
 * same settings of version, provider and VM, that was asked for the same.
 *
 * @param into the folder of the matrix
 * @throws RefusedError when there is no matrix
 */
export function nights(into: string, history: string): Night[] {
  const file = join(into, 'matrix.json');
  if (!exists(file)) throw new RefusedError(`There is no ${file}; \`npm run matrix\` writes it.`);
  const { versions = [] } = readJson<Matrix>(file) ?? {};
  return versions.map((version) => nightOf(version, into, history));
}

function nightOf({ version, run, folder, said }: MatrixVersion, into: string, history: string): Night {
  if (run === null) return { version, since: null, said: said ?? 'it said nothing' };
  const tonight = { name: 'tonight', report: findRun(outputsIn(join(into, folder)).json, history).report };
  const before = runBefore(tonight, history);
  return { version, since: before ? diff(before, tonight) : null, said: null };
}

function runBefore({ report }: NamedRun, history: string): NamedRun | undefined {
  const asked = askedFor(report);
  for (const name of runNames(history).toReversed()) {
    if (!name.endsWith(`-${askedVariant(report)}`)) continue;
    const run = storedRun(history, name);
    if (run.report.startedAt < report.startedAt && askedFor(run.report) === asked) return run;
  }
  return undefined;
}

/** By the settings: when no lab came up, nobody measured what it would have been. */
function askedFor({ selection, config }: Conformance): string {
  const { lab } = config as { lab?: { provider?: string; vmArch?: string } };
  // a run of before there was the setting had the VM of its machine
  return JSON.stringify([selection, lab?.provider, lab?.vmArch ?? 'auto']);
}

/** How much of a reason is told: an issue holds 65 536 characters, and all claims may fail in one night. */
const reasonLimit = 100;

/** What got worse in a version since the run before; a version without a report is worse than any. */
export function worse({ since, said }: Night): Worse[] {
  if (said !== null) return [{ key: 'no-report', text: `Its run left no report: ${oneLine(said)}` }];
  const { changes = [], newErrors = [] } = since ?? {};
  return [
    ...changes
      .filter(({ kind }) => kind === 'newly-failing')
      .map(({ id, from, to, reason }) => ({
        key: id,
        text: `\`${id}\`: ${from} → ${to}${reason === null ? '' : `: ${oneLine(reason).slice(0, reasonLimit)}`}`,
      })),
    ...(newErrors.length > 0
      ? [
          {
            key: 'outside',
            text: `Outside of any claim: ${newErrors.map((error) => oneLine(error)).join('; ')}`,
          },
        ]
      : []),
  ];
}

/** The nights as a page, for the summary of a job. */
export function nightsMarkdown(all: readonly Night[]): string {
  const bad = all.filter((night) => worse(night).length > 0).map(({ version }) => version);
  const heading = bad.length > 0 ? `A regression in ${bad.join(', ')}.` : 'No regression.';
  return ['# Against the night before', `**${heading}**`, ...all.map(section)].join('\n\n');
}

function section(night: Night): string {
  const { version, since, said } = night;
  const title = `## Istio ${version}`;
  if (said !== null) return `${title}\n\nIts run left no report: ${oneLine(said)}\n`;
  if (since === null) return `${title}\n\nThere is no earlier run to compare with.\n`;
  if (isEmpty(since))
    return `${title}\n\nNo difference to ${since.from.name} in ${String(since.compared)} claims.\n`;
  return `${title}\n\n${diffMarkdown(since, 3)}`;
}
