import { expect, test } from 'vitest';
import { duration } from './progress.ts';

test.each([
  [950, '0.9 s'],
  [59_949, '59.9 s'],
  [59_960, '1 min 0 s'],
  [61_000, '1 min 1 s'],
  [1_019_700, '17 min 0 s'],
])('%d ms are told as %s', (ms, told) => {
  expect(duration(ms)).toBe(told);
});
