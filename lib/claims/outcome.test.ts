import { expect, test } from 'vitest';
import { BlockedError, LackingError } from '#lib/base/errors.ts';
import { until } from '#lib/base/until.ts';
import { evidence, judge, notApplicable } from './outcome.ts';

async function thrownBy(work: () => unknown): Promise<unknown> {
  try {
    await work();
  } catch (error) {
    return error;
  }
  return undefined;
}

expect.extend({ toBeOdd: (n: number) => ({ pass: n % 2 === 1, message: () => `${n} is even` }) });

test.each([
  [
    'an expectation',
    () => {
      expect(1).toBe(2);
    },
    'failed',
  ],
  [
    'an expectation of our own',
    () => {
      (expect(2) as unknown as { toBeOdd: () => void }).toBeOdd();
    },
    'failed',
  ],
  [
    'a rejected expectation',
    async () => {
      await expect(Promise.resolve(1)).rejects.toThrow();
    },
    'failed',
  ],
  [
    'a wait',
    async () =>
      until(
        'it',
        async () => 1,
        (n) => n === 2,
        { within: 20, every: 5 },
      ),
    'failed',
  ],
  [
    'a layer',
    () => {
      throw new BlockedError('istio', 'no pods');
    },
    'blocked',
  ],
  ['a feature', () => notApplicable('k3s', 'the distribution is another one'), 'not-applicable'],
  [
    'a feature that was missed on the way',
    () => {
      const cause = new LackingError('node-access', 'the nodes are others');
      throw new Error('The pods could not be read.', { cause });
    },
    'not-applicable',
  ],
  [
    'a program',
    () => {
      throw new TypeError('x is not a function');
    },
    'broken',
  ],
])('%s: %s', async (_, work, verdict) => {
  expect(judge(await thrownBy(work))).toMatchObject({ verdict });
});

test('what is thrown need not be an error', () => {
  expect(judge('a string')).toEqual({ verdict: 'broken', reason: 'a string' });
});

test('evidence is text or JSON, without secrets, at most 4 KiB', () => {
  expect(evidence('a', { n: 1 }).value).toBe('{\n  "n": 1\n}');
  expect(evidence('a', undefined).value).toBe('undefined');
  expect(evidence('a', 'Authorization: Bearer abcdefghijkl').value).toBe('Authorization: Bearer (withheld)');
  expect(evidence('a', 'x'.repeat(5000)).value).toHaveLength(4096 + '… (5000 characters)'.length);
  const cyclic: { self?: unknown } = {};
  cyclic.self = cyclic;
  expect(evidence('a', cyclic).value).toContain('[Circular');
});
