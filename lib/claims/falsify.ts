import { inspect } from 'node:util';
import { together, type Deadline } from '#lib/base/deadline.ts';
import { ours } from '#lib/base/deadlines.ts';
import { messageOf } from '#lib/base/errors.ts';
import { change, type Change } from '#lib/kube/manifest.ts';
import type { AnyLab, Declaration, Ended, Look, Making } from './declare.ts';
import type { Falsified, Judgement, Outcome } from './outcome.ts';
import { witnesses as ofThisProcess, type Witnesses } from './witnesses.ts';

/** Whether this run breaks what its claims check (`npm run falsify`), instead of only looking. */
export const falsifying = (): boolean => process.env['CONFORMANCE_FALSIFY'] === 'yes';

/** Whether it also collects what a run would collect of a claim that is red, while it is red (`--bundles`). */
export const collecting = (): boolean => process.env['CONFORMANCE_BUNDLES'] === 'yes';

/** How long three looks at a claim may take, and what is seen of the witnesses between them. */
export const falsifyingWithin = (look: Deadline): Deadline => {
  const one = together(look, ours.claimMargin);
  return together(one, one, one, ours.witnessesBetween);
};

/**
 * Green, broken as the claim's falsifier says, red for the stated reason, put back, green again.
 *
 * @returns passed when all of this was seen, or when the claim states why it cannot be broken here; what was seen is
 *   kept in the outcome
 */
export async function falsify<L extends AnyLab>(
  declaration: Declaration<L>,
  look: Look<L>,
  outcome: Outcome,
  witnesses: Witnesses = ofThisProcess,
): Promise<Ended> {
  const { given, falsifier, red, breaks = outcome.standsOn, unfalsifiable } = declaration;
  let green = witnesses.green();
  // the situation that the claim speaks of may turn some red by itself
  const inSituation = async (): Promise<void> => {
    const already = await witnesses.red(green);
    green = green.filter((id) => !already.has(id));
  };
  const before = await timed(async () => look(declaration, given && falsifier ? inSituation : undefined));
  const first = before.of;
  const seen: Falsified = {
    breaks,
    before: first.judgement,
    witnesses: [],
    alsoRed: [],
    ms: { before: before.ms },
  };
  outcome.falsified = seen;
  if (first.judgement.verdict !== 'passed') return first;
  if (unfalsifiable !== undefined) {
    seen.unfalsifiable = unfalsifiable;
    return first;
  }
  if (!falsifier) return failed((seen.survived = 'It has no falsifier, so nothing shows that it can fail.'));

  seen.witnesses = green.filter((id) => id !== outcome.id);
  const breaking = both(given, falsifier, (name) => (seen.change = name));
  const broken = await timed(async () =>
    look({ ...declaration, given: breaking }, async () => {
      seen.alsoRed = [...(await witnesses.red(seen.witnesses)).keys()];
    }),
  );
  seen.broken = broken.of.judgement;
  seen.ms.broken = broken.ms;
  const survival = survived(seen.broken, red, actualIn(broken.of.error));
  if (survival !== undefined) seen.survived = survival;

  const after = await timed(async () => {
    const lasting = await witnesses.greenAgain(seen.alsoRed).then(
      () => undefined,
      (error: unknown) => `What went red with it stayed red after the undo: ${messageOf(error)}`,
    );
    return { lasting, third: await look(declaration) };
  });
  const { lasting, third } = after.of;
  seen.after = third.judgement;
  seen.ms.after = after.ms;
  const notRestored =
    broken.of.leftBehind ??
    (third.judgement.verdict === 'passed'
      ? lasting
      : `It was not green again after the undo: ${third.judgement.reason ?? ''}`);
  if (notRestored !== undefined) seen.notRestored = notRestored;

  const wrong = seen.survived ?? seen.notRestored;
  return wrong === undefined ? first : failed(wrong);
}

/** Why a claim does not count as killed; undefined when it does. */
export function survived(
  { verdict, reason = '', seen = '' }: Judgement,
  red?: RegExp,
  actual = '',
): string | undefined {
  if (verdict === 'passed') return 'It stayed green although its falsifier was made.';
  if (verdict !== 'failed') return `With its falsifier made it was ${verdict} instead of failed: ${reason}`;
  if (!red) return `It does not state for what reason it is red; seen: ${reason}\n${actual}`;
  if (!red.test(`${reason}\n${seen}\n${actual}`))
    return `It was red for another reason than ${String(red)}: ${reason}\n${actual}`;
  return undefined;
}

/** What a failed expectation was given, in full: its message tells only the beginning of it. */
function actualIn(error: unknown): string {
  if (!(error instanceof Error) || !('actual' in error)) return '';
  return inspect(error.actual, { depth: 6, breakLength: Infinity });
}

function failed(reason: string): Ended {
  return { judgement: { verdict: 'failed', reason }, error: new Error(reason) };
}

async function timed<T>(work: () => Promise<T>): Promise<{ of: T; ms: number }> {
  const started = performance.now();
  const of = await work();
  return { of, ms: Math.round(performance.now() - started) };
}

/** The situation of the claim, and in it the change that breaks it. */
function both<L>(
  given: Making<L> | undefined,
  falsifier: Making<L>,
  called: (name: string) => void,
): Making<L> {
  return async (lab) => {
    const situation = await given?.(lab);
    let broken: Change;
    try {
      broken = await falsifier(lab);
    } catch (error) {
      await situation?.undo();
      throw error;
    }
    called(broken.name);
    return change(broken.name, async () => {
      await broken.undo();
      await situation?.undo();
    });
  };
}
