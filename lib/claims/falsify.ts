import { change, type Change } from '#lib/kube/manifest.ts';
import type { AnyLab, Declaration, Ended, Making } from './declare.ts';
import type { Judgement, Outcome } from './outcome.ts';

/** Whether this run breaks what its claims check (`npm run falsify`), instead of only looking. */
export const falsifying = (): boolean => process.env['CONFORMANCE_FALSIFY'] === 'yes';

/**
 * Green, broken as the claim's falsifier says, red for the stated reason, put back, green again.
 *
 * @param look looks at a claim once, as a run does
 * @returns passed when all of this was seen; what was seen is kept in the outcome
 */
export async function falsify<L extends AnyLab>(
  declaration: Declaration<L>,
  look: (one: Declaration<L>) => Promise<Ended>,
  outcome: Outcome,
): Promise<Ended> {
  const { falsifier, red } = declaration;
  const first = await look(declaration);
  const seen = (outcome.falsified = { before: first.judgement } as NonNullable<Outcome['falsified']>);
  if (first.judgement.verdict !== 'passed') return first;
  if (!falsifier) return failed('It has no falsifier, so nothing shows that it can fail.');
  const breaking = both(declaration.given, falsifier);
  const second = await look({ ...declaration, given: breaking });
  seen.broken = second.judgement;
  const third = await look(declaration);
  seen.after = third.judgement;
  const why = survived(second.judgement, red);
  if (why) return failed(why);
  if (third.judgement.verdict !== 'passed')
    return failed(`It was not green again after the undo: ${third.judgement.reason ?? ''}`);
  return first;
}

/** Why a claim does not count as killed; undefined when it does. */
export function survived({ verdict, reason = '', seen = '' }: Judgement, red?: RegExp): string | undefined {
  if (verdict === 'passed') return 'It stayed green although its falsifier was made.';
  if (verdict !== 'failed') return `With its falsifier made it was ${verdict} instead of failed: ${reason}`;
  if (!red) return `It does not state for what reason it is red; seen: ${reason}`;
  if (!red.test(`${reason}\n${seen}`)) return `It was red for another reason than ${String(red)}: ${reason}`;
  return undefined;
}

function failed(reason: string): Ended {
  return { judgement: { verdict: 'failed', reason }, error: new Error(reason) };
}

/** The situation of the claim, and in it the change that breaks it. */
function both<L>(given: Making<L> | undefined, falsifier: Making<L>): Making<L> {
  return async (lab) => {
    const situation = await given?.(lab);
    let broken: Change;
    try {
      broken = await falsifier(lab);
    } catch (error) {
      await situation?.undo();
      throw error;
    }
    return change(broken.name, async () => {
      await broken.undo();
      await situation?.undo();
    });
  };
}
