import { beforeEach, expect, test, vi } from 'vitest';
import type { Ended } from './declare.ts';
import type { Outcome } from './outcome.ts';

const passed: Ended = { judgement: { verdict: 'passed' } };
const failed: Ended = {
  judgement: { verdict: 'failed', reason: 'expected 503 to be 200' },
  error: new Error(),
};
const blocked: Ended = { judgement: { verdict: 'blocked', reason: 'not up', layer: 'cluster' } };
const death = 'kubelet on k3s-worker-1 ended by signal KILL after 9.0 s (bye)';

let undisturbed: typeof import('./undisturbed.ts').undisturbed;
let outcome: Outcome;

beforeEach(async () => {
  // until when what died is made up for belongs to a process
  vi.resetModules();
  ({ undisturbed } = await import('./undisturbed.ts'));
  outcome = { id: 'any.claim', standsOn: 'apps', within: 1000, evidence: [], waits: [] };
});

/** Looks that end like this, one after the other, and what died during each. */
async function looked(ends: readonly Ended[], died: readonly string[][], heals = true) {
  let looks = 0;
  const end = await undisturbed(
    async () => Promise.resolve(ends[looks++] ?? passed),
    {
      ended: async () => Promise.resolve(died[looks - 1] ?? []),
      healed: async () => (heals ? Promise.resolve() : Promise.reject(new Error('etcd ended'))),
    },
    outcome,
  );
  return { looks, ...end.judgement, disturbedBy: outcome.disturbedBy };
}

test.each([
  ['passed', passed],
  ['failed', failed],
  ['blocked', blocked],
])('a claim that %s on a lab in which nothing died is looked at once', async (verdict, end) => {
  expect(await looked([end], [[]])).toMatchObject({ looks: 1, verdict, disturbedBy: undefined });
});

test('one that passed while a program died is looked at again, and that counts', async () => {
  expect(await looked([passed, passed], [[death], []])).toEqual({
    ...{ looks: 2, verdict: 'passed', disturbedBy: [death] },
  });
  expect(await looked([passed, failed], [[death], []])).toMatchObject({ looks: 2, verdict: 'failed' });
});

test('one that was disturbed both times is broken, by the name of what died', async () => {
  const { verdict, reason, looks } = await looked([passed, passed], [[death], [death]]);
  expect([looks, verdict]).toEqual([2, 'broken']);
  expect(reason).toBe(
    `${death}. That was while this claim was looked at, so the system was not what is to be judged; otherwise it passed.`,
  );
});

test('one that failed while a program died is broken, and not looked at again', async () => {
  const { verdict, reason, looks } = await looked([failed], [[death]]);
  expect([looks, verdict]).toEqual([1, 'broken']);
  expect(reason).toContain(death);
  expect(reason).toContain('it was failed (expected 503 to be 200)');
});

test('a lab that does not heal makes a pass broken', async () => {
  const { verdict, reason } = await looked([passed], [[death]], false);
  expect(verdict).toBe('broken');
  expect(reason).toContain(`${death}; it did not heal: etcd ended.`);
});

test('a blocked one is left as it is', async () => {
  expect(await looked([blocked], [[death]])).toMatchObject({ looks: 1, verdict: 'blocked' });
});
