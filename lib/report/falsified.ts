import { redact } from '#lib/base/redact.ts';
import type { Catalogue, Claim } from '#lib/claims/catalogue.ts';
import type { FalsifierMap } from '#lib/claims/falsifier-map.ts';
import type { Falsified } from '#lib/claims/outcome.ts';
import { likelyCause, type Cause } from './cause.ts';
import { withoutSecrets } from './conformance.ts';
import type { LabFacts } from './lab-facts.ts';
import { judgementOf, type Looked } from './results.ts';

/** How falsifying a claim can end, in the order in which it is counted. The last two are counted apart. */
export const endings = ['killed', 'survived', 'not-judged', 'unfalsifiable', 'not-applicable'] as const;
export type Ending = (typeof endings)[number];

/** What came of falsifying one claim. */
export interface FalsifiedClaim {
  id: string;
  suite: Claim['suite'];
  /** The layer that the falsifier breaks. */
  breaks?: string;
  /** What was changed. */
  change?: string;
  ending: Ending;
  /** What it said when it was red. */
  red?: string;
  /** Why it is not killed. */
  why?: string;
  /** Whether it, and all that went red with it, was green after the undo; null when nothing was broken. */
  restored: boolean | null;
  notRestored?: string;
  /** Other claims that went red with it, of those that were looked at (`witnesses`). */
  alsoRed: string[];
  /** What a run in which this is red would name as the likely cause, by the map as it was before. */
  cause?: Pick<Cause, 'layer' | 'line'>;
  /** What was collected while it was red, when that was asked for. */
  bundle?: Bundle;
  ms: { before: number; broken?: number; after?: number };
}

/** A bundle of diagnostics as it lies on disk. */
export interface Bundle {
  /** Relative to the checkout. */
  folder: string;
  bytes: number;
  /** The lines of its timeline. */
  timeline: number;
}

/** What falsify.json holds; falsify.schema.json beside this file is its contract. */
export interface FalsifyReport {
  schemaVersion: 1;
  startedAt: string;
  finishedAt: string;
  lab: LabFacts['lab'];
  measured: Record<string, string>;
  /** The claims that were asked for, when that was less than all that are implemented. */
  selection: string[] | null;
  totals: Record<Ending, number> & { restored: number; 'not-restored': number; 'cause-named': number };
  /** The claims that were looked at while others were broken, as far as they were green before. */
  witnesses: string[];
  /** What went wrong outside of any claim. */
  errors: string[];
  claims: FalsifiedClaim[];
}

/** What a test's end means for the falsifier of its claim. */
export function falsifiedClaim(claim: Claim, test: Looked | undefined, otherwise: string): FalsifiedClaim {
  const { id, suite } = claim;
  const seen = test?.outcome?.falsified;
  const { ending, why } = endingOf(seen, test, otherwise);
  const { breaks, change, broken, after, notRestored, alsoRed = [], ms = { before: 0 } } = seen ?? {};
  return {
    id,
    suite,
    ...(breaks === undefined ? {} : { breaks }),
    ...(change === undefined ? {} : { change }),
    ending,
    ...(broken?.reason === undefined ? {} : { red: broken.reason }),
    ...(why === undefined ? {} : { why }),
    restored: broken ? after?.verdict === 'passed' && notRestored === undefined : null,
    ...(notRestored === undefined ? {} : { notRestored }),
    alsoRed,
    ms,
  };
}

function endingOf(
  seen: Falsified | undefined,
  test: Looked | undefined,
  otherwise: string,
): { ending: Ending; why?: string } {
  const judgement = test && judgementOf(test);
  if (seen?.unfalsifiable !== undefined) return { ending: 'unfalsifiable', why: seen.unfalsifiable };
  if (judgement?.verdict === 'not-applicable')
    return { ending: 'not-applicable', why: judgement.reason ?? '' };
  if (!seen || !judgement) return { ending: 'not-judged', why: judgement?.reason ?? otherwise };
  if (seen.survived !== undefined) return { ending: 'survived', why: seen.survived };
  if (seen.broken) return { ending: 'killed' };
  return {
    ending: 'not-judged',
    why: `It was ${seen.before.verdict} with nothing broken: ${seen.before.reason ?? judgement.reason ?? ''}`,
  };
}

interface Run {
  startedAt: Date;
  chosen: readonly string[];
  selection: string[] | null;
  looked: readonly Looked[];
  outside: readonly string[];
  facts: LabFacts;
  map: FalsifierMap;
  /** Looks at a bundle that a claim has left. */
  bundleAt: (folder: string) => Bundle;
}

/** One entry for each claim that was asked for, whatever its test did or failed to do. */
export function falsifyReport(
  catalogue: Catalogue,
  { startedAt, chosen, selection, looked, outside, facts, map, bundleAt }: Run,
): FalsifyReport {
  const otherwise = ['Its test never reported.', ...outside].join(' ');
  const layerOf = new Map(looked.flatMap(({ id, outcome }) => (outcome ? [[id, outcome.standsOn]] : [])));
  const claims = chosen.map((id) => {
    const test = looked.find((one) => one.id === id);
    const claim = falsifiedClaim(catalogue.get(id), test, otherwise);
    if (claim.ending !== 'killed') return claim;
    const folder = test?.outcome?.diagnostics;
    return {
      ...claim,
      ...causeOf(claim, test?.outcome?.falsified?.witnesses ?? [], layerOf, map),
      ...(folder === undefined ? {} : { bundle: bundleAt(folder) }),
    };
  });
  const witnesses = looked.flatMap(({ outcome }) => outcome?.falsified?.witnesses ?? []);
  return withoutSecrets({
    schemaVersion: 1,
    startedAt: startedAt.toISOString(),
    finishedAt: new Date().toISOString(),
    lab: facts.lab,
    measured: facts.measured,
    selection,
    totals: totalsOf(claims),
    witnesses: [...new Set(witnesses)].sort(),
    errors: outside.map(redact),
    claims,
  });
}

/** What would be told of a run that looked at this claim and the witnesses. */
function causeOf(
  { id, alsoRed }: FalsifiedClaim,
  witnesses: readonly string[],
  layerOf: ReadonlyMap<string, string>,
  map: FalsifierMap,
): Pick<FalsifiedClaim, 'cause'> {
  const results = [...new Set([id, ...witnesses])].map((one) => {
    const layer = layerOf.get(one);
    const verdict = one === id || alsoRed.includes(one) ? ('failed' as const) : ('passed' as const);
    return { id: one, verdict, ...(layer === undefined ? {} : { layer }) };
  });
  const cause = likelyCause(results, map);
  return cause ? { cause: { layer: cause.layer, line: cause.line } } : {};
}

function totalsOf(claims: readonly FalsifiedClaim[]): FalsifyReport['totals'] {
  const count = (good: (claim: FalsifiedClaim) => boolean): number => claims.filter(good).length;
  const byEnding = Object.fromEntries(endings.map((one) => [one, count(({ ending }) => ending === one)]));
  return {
    ...(byEnding as Record<Ending, number>),
    restored: count(({ restored }) => restored === true),
    'not-restored': count(({ restored }) => restored === false),
    'cause-named': count(({ cause, breaks }) => cause !== undefined && cause.layer === breaks),
  };
}

/** Whether every claim was killed and put back, but for those that are counted apart. */
export const allKilled = ({ totals, errors }: FalsifyReport): boolean =>
  totals.survived + totals['not-judged'] + totals['not-restored'] + errors.length === 0;
