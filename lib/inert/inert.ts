import type { Declaration, Ended, Way } from '#lib/claims/declare.ts';
import { change } from '#lib/kube/manifest.ts';
import type { Lab } from '#lib/layers/lab.ts';
import { onEach } from './standing.ts';

/**
 * The way in which claims are looked at on labs that are none: a claim is as it should be when it passes on none of them.
 * What it is given counts as made, however little came of it, so that it is the proof that is put to the test.
 */
export const mustNotPass: Way<Lab> = async (declaration, look, { id }) => {
  const reasons = await onEach(async ({ name, lab, asked }) => {
    let questions = 0;
    const proof: Declaration<Lab>['proof'] = async (_, seen) => {
      const before = asked();
      try {
        await declaration.proof(lab, seen);
      } finally {
        questions = asked() - before;
      }
    };
    const given = async () => (async () => declaration.given?.(lab))().catch(() => undefined);
    const { judgement } = await look({
      ...declaration,
      given: async () => (await given()) ?? nothing,
      proof,
    });
    return objection(name, declaration.looksAt, judgement, questions);
  });
  const reason = reasons.flatMap((one) => (one === undefined ? [] : [`${id} ${one}`])).join('\n');
  if (reason === '') return { judgement: { verdict: 'passed' } };
  return { judgement: { verdict: 'failed', reason }, error: new Error(reason) };
};

const nothing = change('nothing', async () => Promise.resolve());

/**
 * What is wrong with how a claim ended on a lab that is none; undefined when nothing is.
 *
 * @param questions how often its proof asked the lab for anything
 */
export function objection(
  where: string,
  looksAt: 'lab' | 'repository' = 'lab',
  { verdict, reason = '' }: Ended['judgement'],
  questions: number,
): string | undefined {
  if (looksAt === 'repository') {
    if (questions > 0) return `says that it looks at this repository, but its proof asks the lab.`;
    return verdict === 'passed'
      ? undefined
      : `looks at this repository, for which any lab is good enough, but was ${verdict} on ${where}: ${reason}`;
  }
  if (verdict === 'passed')
    return `passes on ${where}: let its proof expect something that only a lab that works can show.`;
  if (verdict === 'not-applicable') return `calls itself not applicable to ${where}, which lacks nothing.`;
  return undefined;
}
