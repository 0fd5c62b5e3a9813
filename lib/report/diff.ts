import { variantName } from '#lib/base/settings.ts';
import type { Totals, Result } from './results.ts';
import type { Conformance } from './conformance.ts';
import { beyondNoise } from './noise.ts';

type Verdict = Result['verdict'];

/** Which run something is said of. */
export interface RunLabel {
  /** What the run is called: its name in the history, its file, or the version in a matrix. */
  name: string;
  startedAt: string;
  /** The version of Istio that was asked for. */
  istio: string;
  lab: string;
  provider: string;
  totals: Totals;
}

/** What can have become of a claim, in the order in which it is told. */
export const kinds = [
  'newly-failing',
  'fixed',
  'otherwise-red',
  'newly-not-applicable',
  'newly-applicable',
  'newly-implemented',
  'no-longer-implemented',
] as const;
export type Kind = (typeof kinds)[number];

/** A claim that has another verdict than before. */
export interface VerdictChange {
  id: string;
  suite: Result['suite'];
  kind: Kind;
  from: Verdict;
  to: Verdict;
  /** Why, in the later run; null when it passed. */
  reason: string | null;
}

/** A claim that passed in both runs, and took another time by more than noise. */
export interface TimingChange {
  id: string;
  suite: Result['suite'];
  /** How long it took in all, or how much of that it waited for what to come true. */
  what: 'duration' | 'convergence';
  fromMs: number;
  toMs: number;
}

/** What changed between two runs, claim by claim; diff.schema.json beside this file is its contract. */
export interface RunDiff {
  schemaVersion: 1;
  from: RunLabel;
  to: RunLabel;
  /** Whether a claim is red that was not, or something went wrong outside of any claim that did not before. */
  regression: boolean;
  changes: VerdictChange[];
  timings: TimingChange[];
  /** What went wrong outside of any claim in the later run and did not in the earlier. */
  newErrors: string[];
  /** What most likely made the later run red; null when it is not. */
  cause: string | null;
  /** How many claims both runs were asked for. */
  compared: number;
  /** The claims that one of the two runs was not asked for. */
  notCompared: string[];
}

/** A run as it is told of in a diff or a matrix. */
export function runLabel(name: string, { startedAt, config, lab, totals }: Conformance): RunLabel {
  return { name, startedAt, istio: askedIstio({ config }), lab: lab.name, provider: lab.provider, totals };
}

/** The version of Istio that a run was asked for. */
export function askedIstio({ config: { istioVersion } }: Pick<Conformance, 'config'>): string {
  return typeof istioVersion === 'string' ? istioVersion : 'unknown';
}

/** What a run is called after what it was asked for; a run of before there was VM_OS had the default. */
export function askedVariant({ config }: Pick<Conformance, 'config'>): string {
  const { lab } = config as { lab?: { vmOs?: string } };
  return variantName(askedIstio({ config }), lab?.vmOs);
}

/** A run and what it is called. */
export interface NamedRun {
  name: string;
  report: Conformance;
}

/** What changed from one run to another. Two runs that came to the same have an empty diff. */
export function diff(from: NamedRun, to: NamedRun): RunDiff {
  const before = new Map(from.report.claims.map((claim) => [claim.id, claim]));
  const after = new Map(to.report.claims.map((claim) => [claim.id, claim]));
  const ids = [...new Set([...before.keys(), ...after.keys()])].sort();
  const pairs = ids.map((id) => ({ id, was: before.get(id), is: after.get(id) }));
  const left = ({ was, is }: Pair): boolean =>
    was?.verdict === 'not-selected' || is?.verdict === 'not-selected';
  const compared = pairs.filter((pair) => !left(pair));
  const changes = compared.flatMap(changeOf).sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind));
  const known = new Set(from.report.errors);
  const newErrors = to.report.errors.filter((error) => !known.has(error));
  return {
    schemaVersion: 1,
    from: runLabel(from.name, from.report),
    to: runLabel(to.name, to.report),
    regression: newErrors.length > 0 || changes.some(({ kind }) => kind === 'newly-failing'),
    changes,
    timings: compared.flatMap(timingsOf),
    newErrors,
    cause: to.report.cause?.line ?? null,
    compared: compared.length,
    notCompared: pairs.filter(left).map(({ id }) => id),
  };
}

/** Whether there is nothing to tell. */
export const isEmpty = ({ changes, timings, newErrors }: RunDiff): boolean =>
  changes.length + timings.length + newErrors.length === 0;

interface Pair {
  id: string;
  was: Result | undefined;
  is: Result | undefined;
}

function changeOf({ id, was, is }: Pair): VerdictChange[] {
  const one = is ?? was;
  // a claim that a catalogue does not have yet, or not any more, is one that nobody proves
  const [from, to] = [was?.verdict ?? 'not-implemented', is?.verdict ?? 'not-implemented'];
  const kind = kindOf(from, to);
  return one && kind ? [{ id, suite: one.suite, kind, from, to, reason: is?.reason ?? null }] : [];
}

const red: readonly Verdict[] = ['failed', 'broken', 'blocked'];

/** What it means that a verdict became another; undefined when it is the same. */
function kindOf(from: Verdict, to: Verdict): Kind | undefined {
  if (from === to) return undefined;
  if (red.includes(to)) return red.includes(from) ? 'otherwise-red' : 'newly-failing';
  if (to === 'not-applicable') return 'newly-not-applicable';
  if (to === 'not-implemented') return 'no-longer-implemented';
  if (from === 'not-applicable') return 'newly-applicable';
  return from === 'not-implemented' ? 'newly-implemented' : 'fixed';
}

/** Only what passed twice did the same twice, so only that is compared in time. */
function timingsOf({ id, was, is }: Pair): TimingChange[] {
  if (was?.verdict !== 'passed' || is?.verdict !== 'passed') return [];
  const timing = (what: TimingChange['what'], fromMs: number, toMs: number): TimingChange[] =>
    beyondNoise(fromMs, toMs) ? [{ id, suite: is.suite, what, fromMs, toMs }] : [];
  return [
    ...timing('duration', was.durationMs, is.durationMs),
    ...timing('convergence', waitedMs(was), waitedMs(is)),
  ];
}

/** How long a claim waited for what to come true, in milliseconds. */
export const waitedMs = ({ waits }: Result): number => waits.reduce((sum, { ms }) => sum + ms, 0);
