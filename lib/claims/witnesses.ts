import type { Within } from '#lib/base/deadline.ts';
import { ours } from '#lib/base/deadlines.ts';
import { NotSeenError, until } from '#lib/base/until.ts';
import type { Judgement } from './outcome.ts';

/** Claims that are looked at while another one is falsified, to learn which go red with it. */
export interface Witnesses {
  add(id: string, look: () => Promise<Judgement>): void;
  /** Looks at all of them, with nothing broken. Those that do not come to be green are left out from then on. */
  rest(): Promise<void>;
  /** Those that were green with nothing broken. */
  green(): readonly string[];
  /** Those of them that are not green now, and why not. */
  red(ids: readonly string[]): Promise<Map<string, Judgement>>;
  /** Waits until all of these are green again. @throws NotSeenError that names those that are not */
  greenAgain(ids: readonly string[]): Promise<void>;
}

export function gatherWitnesses(
  within: { rest: Within; again: Within } = { rest: ours.witnessesRest, again: ours.witnessesAgain },
): Witnesses {
  const looks = new Map<string, () => Promise<Judgement>>();
  let known: readonly string[] = [];

  async function red(ids: readonly string[]): Promise<Map<string, Judgement>> {
    const seen = await Promise.all(
      ids.map(async (id): Promise<[string, Judgement | undefined]> => [id, await looks.get(id)?.()]),
    );
    return new Map(
      seen.filter((one): one is [string, Judgement] => one[1] !== undefined && one[1].verdict !== 'passed'),
    );
  }

  async function allGreen(ids: readonly string[], patience: Within): Promise<void> {
    let left = ids;
    await until(
      `green: ${ids.join(', ')}`,
      async () => {
        const seen = await red(left);
        left = [...seen.keys()];
        return [...seen].map(([id, { reason = '' }]) => `${id}: ${reason}`).join('\n');
      },
      (seen) => seen === '',
      { within: patience, every: 500 },
    );
  }

  return {
    add: (id, look) => void looks.set(id, look),
    red,
    green: () => known,
    async rest() {
      known = [...looks.keys()];
      try {
        await allGreen(known, within.rest);
      } catch (error) {
        if (!(error instanceof NotSeenError)) throw error;
        const never = await red(known);
        known = known.filter((id) => !never.has(id));
      }
    },
    async greenAgain(ids) {
      if (ids.length > 0) await allGreen(ids, within.again);
    },
  };
}

/** Those of this process. */
export const witnesses = gatherWitnesses();
