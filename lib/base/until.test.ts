import { describe, expect, test } from 'vitest';
import { LackingError } from './errors.ts';
import { NotSeenError, notingWaits, until, type Wait } from './until.ts';

describe('until', () => {
  test('returns the first thing seen that is good', async () => {
    let looks = 0;
    await expect(
      until(
        'three',
        async () => Promise.resolve(++looks),
        (n) => n === 3,
        { within: 1000, every: 1 },
      ),
    ).resolves.toBe(3);
  });

  test('a look that answers after the deadline does not count', async () => {
    const late = async (): Promise<boolean> =>
      until('soon', async () => Promise.resolve(false), Boolean, { within: 300, every: 1 });
    await expect(until('a late truth', late, () => true, { within: 30 })).rejects.toThrow(NotSeenError);
  });

  test('a look that hangs ends at the deadline', async () => {
    await expect(
      until(
        'an answer',
        async () => new Promise(() => undefined),
        () => true,
        { within: 30 },
      ),
    ).rejects.toThrow(
      'Timed out after 0.03 s waiting for: an answer. Looked 1 times; last look: never ended',
    );
  });

  test('tells the last thing seen', async () => {
    const wait = until(
      'two replicas',
      async () => Promise.resolve({ ready: 1 }),
      ({ ready }) => ready === 2,
      { within: 30, every: 5 },
    );
    await expect(wait).rejects.toThrow('last look: { ready: 1 }');
  });

  test('a look that throws is looked at again, and its error is the cause', async () => {
    const refused = new Error('connection refused');
    const wait = until(
      'the API',
      async () => Promise.reject(refused),
      () => true,
      { within: 30, every: 5 },
    );
    await expect(wait).rejects.toMatchObject({ cause: refused, seen: 'connection refused' });
  });

  test('a look that the lab lacks something for ends the wait at once', async () => {
    const lacking = new LackingError('node-access', 'none');
    const wait = until(
      'a file of a node',
      async () => Promise.reject(lacking),
      () => true,
      { within: 60_000 },
    );
    await expect(wait).rejects.toBe(lacking);
  });

  test('a condition that throws ends the wait at once', async () => {
    const wait = until(
      'x',
      async () => Promise.resolve(1),
      () => {
        throw new TypeError('a fault in the check');
      },
      { within: 60_000 },
    );
    await expect(wait).rejects.toThrow('a fault in the check');
  });

  test('asks for several good looks in a row', async () => {
    const answers = [true, false, true, true];
    const look = async (): Promise<boolean> => Promise.resolve(answers.shift() ?? false);
    await until('two in a row', look, Boolean, { within: 1000, every: 1, inARow: 2 });
    expect(answers).toEqual([]);
  });

  test('is noted with how long it took, the waits within its looks not by themselves', async () => {
    const waits: Wait[] = [];
    const soon = async (what: string): Promise<boolean> =>
      until(what, async () => Promise.resolve(true), Boolean, { within: 1000, every: 1 });
    await notingWaits(waits, async () => {
      await until('outer', async () => soon('inner'), Boolean, { within: 1000, every: 1 });
      await until('never', async () => Promise.resolve(false), Boolean, { within: 40, every: 5 }).catch(
        () => 0,
      );
    });
    await soon('later');
    expect(waits.map(({ what }) => what)).toEqual(['outer', 'never']);
    expect(waits[1]?.ms).toBeGreaterThanOrEqual(35);
    expect(waits.every(({ startedAt }) => startedAt === new Date(startedAt).toISOString())).toBe(true);
  });
});
