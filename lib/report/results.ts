import { redact } from '#lib/base/redact.ts';
import type { Wait } from '#lib/base/until.ts';
import type { Catalogue, Claim } from '#lib/claims/catalogue.ts';
import type { Proof } from '#lib/claims/implemented.ts';
import { verdicts, type Evidence, type Judgement, type Outcome, type Verdict } from '#lib/claims/outcome.ts';
import type { Selection } from '#lib/claims/selection.ts';

/** An error as vitest hands it to reporters. */
export interface Said {
  message: string;
  name?: string | undefined;
  expected?: unknown;
  actual?: unknown;
}

/** What vitest reported about one claim's test. */
export interface Looked {
  id: string;
  /** Relative to the folder of the suites. */
  file: string;
  state: 'passed' | 'failed' | 'skipped' | 'pending';
  durationMs: number;
  startedAt?: number | undefined;
  outcome?: Outcome | undefined;
  /** How often vitest looked again after a failure; nobody may ask it to. */
  retries?: number;
  errors: readonly Said[];
}

/** What happened outside of any claim's test. */
export interface Circumstances {
  /** Why a file could not be looked at, by file. */
  fileErrors: ReadonlyMap<string, string>;
  /** Errors that belong to no file: a dead worker, a failed set-up, an unhandled rejection. */
  outside: readonly string[];
}

/** What one run has to say about one claim of the catalogue. */
export interface Result {
  id: string;
  suite: Claim['suite'];
  class: Claim['class'];
  statement: string;
  corrected?: string;
  /** Where running systems were seen to differ from the source. */
  found?: NonNullable<Claim['found']>;
  sources: Claim['sources'];
  /** The layer that the claim stands on, when its test was collected. */
  layer?: string;
  verdict: Verdict | 'not-selected';
  reason?: string;
  expected?: string;
  seen?: string;
  feature?: string;
  blockedBy?: string;
  startedAt?: string;
  durationMs: number;
  evidence: Evidence[];
  /** How long it waited for what to come true. */
  waits: Wait[];
  /** When it looks at this repository instead of the lab. */
  looksAt?: 'repository';
  /** The programs of the lab that died while it was looked at, or right before, a sentence each. */
  disturbedBy?: string[];
  /** The folder that tells why it failed, relative to the checkout. */
  diagnostics?: string;
  rerun: string;
}

export type Totals = Record<Verdict, number> & { 'not-selected'?: number };

const shownLimit = 2000;

/** One result for every claim of the catalogue, in its order, whatever the tests did or failed to do. */
export function results(
  { claims }: Catalogue,
  selection: Selection,
  proofs: readonly Proof[],
  looked: readonly Looked[],
  circumstances: Circumstances,
): Result[] {
  const proofOf = new Map(proofs.map((proof) => [proof.id, proof.file]));
  return claims.map((claim) => {
    const { id, suite, statement, corrected, found, sources } = claim;
    const tests = looked.filter((test) => test.id === id);
    const file = tests[0]?.file ?? proofOf.get(id);
    const known = {
      ...{
        id,
        suite,
        class: claim.class,
        statement,
        ...(corrected === undefined ? {} : { corrected }),
        ...(found === undefined ? {} : { found }),
        sources,
      },
      ...facts(tests[0]),
      rerun: `npx vitest run -t ${id}`,
    };
    if (!selection.ids.has(id)) return { ...known, verdict: 'not-selected' };
    if (file === undefined)
      return { ...known, verdict: 'not-implemented', reason: 'No suite proves it yet.' };
    const [test, second] = tests;
    if (second) return { ...known, verdict: 'broken', reason: `Both ${file} and ${second.file} declare it.` };
    const judgement = test && judgementOf(test);
    if (!judgement) return { ...known, verdict: 'broken', reason: whyUnseen(file, circumstances) };
    const { layer, ...rest } = judgement;
    return { ...known, ...rest, ...(layer === undefined ? {} : { blockedBy: layer }) };
  });
}

/** How many claims have which verdict; `not-selected` only when there are some. */
export function totalsOf(list: readonly Result[]): Totals {
  const count = (verdict: string): number => list.filter((result) => result.verdict === verdict).length;
  const totals = Object.fromEntries(verdicts.map((verdict) => [verdict, count(verdict)])) as Record<
    Verdict,
    number
  >;
  const rest = count('not-selected');
  return rest > 0 ? { ...totals, 'not-selected': rest } : totals;
}

/**
 * What a test's end means for its claim. The proof's own judgement counts, unless vitest knows better:
 * an error that came after it, such as one of expect.soft or of a hook, spoils a pass.
 *
 * @returns undefined when the test was never looked at
 */
export function judgementOf({ state, outcome, errors, retries = 0 }: Looked): Judgement | undefined {
  if (retries > 0 && state === 'passed')
    return {
      verdict: 'broken',
      reason: `flaky: it passed only when it was looked at ${String(retries + 1)} times.`,
    };
  const [error] = errors;
  const judged = outcome?.judgement;
  if (judged && !(judged.verdict === 'passed' && state !== 'passed'))
    return { ...judged, ...expectedAndSeen(judged, error) };
  if (state !== 'failed') return undefined;
  const verdict = error?.name === 'AssertionError' ? 'failed' : 'broken';
  const judgement: Judgement = { verdict, reason: error?.message ?? 'Its test failed without saying why.' };
  return { ...judgement, ...expectedAndSeen(judgement, error) };
}

/** What vitest's own formatting makes of the two sides of a failed expectation. */
function expectedAndSeen({ verdict, seen }: Judgement, error: Said | undefined): Partial<Judgement> {
  if (verdict !== 'failed') return {};
  const expected = shown(error?.expected);
  const actual = seen ?? shown(error?.actual);
  return {
    ...(expected === undefined ? {} : { expected }),
    ...(actual === undefined ? {} : { seen: actual }),
  };
}

function shown(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  // a secret that is cut is not recognised any more
  const text = redact(typeof value === 'string' ? value : JSON.stringify(value));
  return text.length > shownLimit ? `${text.slice(0, shownLimit)}…` : text;
}

function facts(
  test: Looked | undefined,
): Pick<
  Result,
  'layer' | 'startedAt' | 'durationMs' | 'evidence' | 'waits' | 'looksAt' | 'disturbedBy' | 'diagnostics'
> {
  const { diagnostics, disturbedBy } = test?.outcome ?? {};
  return {
    ...(diagnostics === undefined ? {} : { diagnostics }),
    ...(disturbedBy === undefined ? {} : { disturbedBy }),
    ...(test?.outcome ? { layer: test.outcome.standsOn } : {}),
    ...(test?.startedAt === undefined ? {} : { startedAt: new Date(test.startedAt).toISOString() }),
    durationMs: Math.round(test?.durationMs ?? 0),
    evidence: test?.outcome?.evidence ?? [],
    waits: test?.outcome?.waits ?? [],
    ...(test?.outcome?.looksAt ? { looksAt: test.outcome.looksAt } : {}),
  };
}

function whyUnseen(file: string, { fileErrors, outside }: Circumstances): string {
  const why = fileErrors.get(file) ?? outside.join(' ');
  return why ? `Its test did not come to an end: ${why}` : `Its test in ${file} never reported.`;
}
