import { expect, test } from 'vitest';
import { coalesced } from './coalesced.ts';

test('what is asked for while the work runs is done once more after it', async () => {
  let runs = 0;
  let finish: () => void = () => undefined;
  const ask = coalesced(
    async () => {
      runs += 1;
      await new Promise<void>((resolve) => (finish = resolve));
    },
    () => undefined,
  );
  const turn = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  ask();
  ask();
  await turn();
  expect(runs).toBe(1);
  ask();
  ask();
  finish();
  await turn();
  await turn();
  expect(runs).toBe(2);
  finish();
  await turn();
  await turn();
  expect(runs).toBe(2);
});

test('work that failed is told of, and done again when it is asked for', async () => {
  const failures: unknown[] = [];
  let runs = 0;
  const ask = coalesced(
    async () => {
      runs += 1;
      return Promise.reject(new Error(`run ${String(runs)}`));
    },
    (error) => failures.push(error),
  );
  const turn = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  for (let time = 0; time < 2; time += 1) {
    ask();
    await turn();
    await turn();
  }
  expect(failures).toEqual([new Error('run 1'), new Error('run 2')]);
});
