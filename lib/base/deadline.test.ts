import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { run } from './command.ts';
import { fixed, seconds, stretching, together } from './deadline.ts';
import { factorOf, firstPatience, keepPatience, patience, raisePatience } from './patience.ts';
import { until } from './until.ts';

let cache: string;
const dir = (): string => join(cache, 'labs', 'slow');

beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), 'patience-'));
  vi.stubEnv('LAB_CACHE', cache);
  vi.stubEnv('LAB_NAME', 'slow');
  vi.stubEnv('LAB_PATIENCE', 'auto');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(cache, { recursive: true });
});

describe('a deadline of ours', () => {
  test('is stretched by what LAB_PATIENCE says, and tells what more of it would give', () => {
    vi.stubEnv('LAB_PATIENCE', '1.5');
    const deadline = stretching(seconds(20));

    expect(deadline.ms).toBe(30_000);
    expect(deadline.told).toBe('30 s (patience 1.5; LAB_PATIENCE=3 gives it 60 s)');
    expect(deadline.mostMs).toBe(1_000_000);
  });

  test('promises nothing beyond the highest patience', () => {
    vi.stubEnv('LAB_PATIENCE', '50');
    expect(stretching(seconds(1)).told).toBe('50 s (patience 50)');
  });

  test('is read anew when the patience of the lab was raised, by whatever process', async () => {
    const deadline = stretching(seconds(20));
    await keepPatience({ factor: 1, why: 'a calibration' }, dir());
    expect(deadline.ms).toBe(20_000);

    expect(await raisePatience(dir(), 'the API server', 8100, 3000)).toEqual({
      factor: 3,
      why: 'the API server took 8.1 s, 3.0 s on the reference machine',
    });
    expect(deadline.ms).toBe(60_000);
    expect(await raisePatience(dir(), 'the API server', 3100, 3000)).toBeUndefined();
    expect(deadline.ms).toBe(60_000);
  });

  test('is not changed by a measurement when LAB_PATIENCE is a number', async () => {
    vi.stubEnv('LAB_PATIENCE', '2');
    expect(await raisePatience(dir(), 'the API server', 60_000, 3000)).toBeUndefined();
    expect(await firstPatience()).toEqual({ factor: 2, why: 'LAB_PATIENCE=2' });
  });

  test('in a message of a wait and of a command', async () => {
    vi.stubEnv('LAB_PATIENCE', '2');
    const within = stretching(20);
    const never = until(
      'a sign',
      async () => Promise.resolve('none'),
      () => false,
      { within },
    );
    await expect(never).rejects.toThrow(
      /^Timed out after 0\.04 s \(patience 2; LAB_PATIENCE=4 gives it 0\.08 s\) waiting for: a sign\. Looked \d+ times; last look: none$/,
    );
    await expect(run(['sleep', '60'], { within })).rejects.toThrow(
      'Timed out after 0.04 s (patience 2; LAB_PATIENCE=4 gives it 0.08 s): sleep 60',
    );
  });
});

test('a limit of others stays what it is, and names its source', () => {
  vi.stubEnv('LAB_PATIENCE', '10');
  const limit = fixed(seconds(10), 'PILOT_WORKLOAD_ENTRY_GRACE_PERIOD');

  expect([limit.ms, limit.mostMs]).toEqual([10_000, 10_000]);
  expect(limit.told).toBe('10 s (PILOT_WORKLOAD_ENTRY_GRACE_PERIOD)');
});

test('deadlines together are stretched each by itself', () => {
  vi.stubEnv('LAB_PATIENCE', '3');
  const both = together(stretching(seconds(2)), fixed(seconds(10), 'a standard'));

  expect([both.ms, both.mostMs]).toEqual([16_000, 110_000]);
  expect(both.told).toBe('16 s (patience 3; LAB_PATIENCE=6 gives it 22 s)');
});

test('a machine is calibrated by known work', async () => {
  const { factor, why } = await firstPatience();

  expect(factor).toBeGreaterThanOrEqual(1);
  expect(factor).toBeLessThanOrEqual(50);
  expect(why).toMatch(/^known work took [\d.]+ s, 0\.22 s on the reference machine; \d+ processors$/);
  expect(patience()).toEqual({ factor, why });
});

test.each([
  ['faster', 100, 1],
  ['as fast, but for noise', 290, 1],
  ['slower', 310, 2],
  ['half as fast', 400, 2],
  ['much slower', 1410, 7.5],
  ['a hundred times slower', 20_000, 50],
])('%s than the reference', (_what, took, factor) => {
  expect(factorOf(took, 200)).toBe(factor);
});
