import { ours } from '#lib/base/deadlines.ts';
import { messageOf } from '#lib/base/errors.ts';
import type { Ended } from './declare.ts';
import type { Outcome } from './outcome.ts';

/** What a lab tells of its programs. */
export interface Programs {
  /**
   * What ended in the lab although nobody stopped it, a sentence each.
   *
   * @param since only what ended at this moment or later, in milliseconds since 1970
   * @param thorough asks those machines too that have to be entered for it
   */
  ended(since: number, thorough: boolean): Promise<string[]>;
  /** Waits until all of it runs again. @throws Error that says what does not */
  healed(): Promise<void>;
}

/** Until when what ended is made up for: the lab was seen to be whole after it. */
let madeUpFor = 0;

/**
 * Looks at a claim, and takes no verdict from a lab in which a program died meanwhile, or right before:
 *
 * - One that did not pass is broken, and names the program: the system was not what is to be judged.
 * - One that passed may have passed by chance, so it is looked at once more when the lab is whole again, and that look
 *   counts. When it is disturbed too, the claim is broken.
 *
 * What ended is kept in the outcome either way.
 */
export async function undisturbed(
  look: () => Promise<Ended>,
  { ended, healed }: Programs,
  outcome: Outcome,
): Promise<Ended> {
  const since = Math.max(Date.now() - ours.afterDeath.ms, madeUpFor);
  const first = await look();
  const died = await endedDuring(first, since);
  if (died.length === 0 || first.judgement.verdict !== 'passed') return spoiled(first, died);
  try {
    await healed();
  } catch (error) {
    return spoiled(first, [...died, `it did not heal: ${messageOf(error)}`]);
  }
  madeUpFor = Date.now();
  const second = await look();
  return spoiled(second, await endedDuring(second, madeUpFor));

  async function endedDuring({ judgement: { verdict } }: Ended, from: number): Promise<string[]> {
    if (verdict === 'blocked' || verdict === 'not-applicable') return [];
    const found = await ended(from, verdict !== 'passed');
    if (found.length > 0) outcome.disturbedBy = [...(outcome.disturbedBy ?? []), ...found];
    return found;
  }
}

/** The same end, broken by what died. */
function spoiled(ended: Ended, died: readonly string[]): Ended {
  if (died.length === 0) return ended;
  const { verdict, reason } = ended.judgement;
  const otherwise = verdict === 'passed' ? 'it passed' : `it was ${verdict} (${reason ?? ''})`;
  const why = `${died.join('; ')}. That was while this claim was looked at, so the system was not what is to be judged; otherwise ${otherwise}.`;
  return {
    ...ended,
    judgement: { verdict: 'broken', reason: why },
    error: new Error(why, { cause: ended.error }),
  };
}
