import { expect, test } from 'vitest';
import { change, type Change } from '#lib/kube/manifest.ts';
import { lasting } from './lasting.ts';
import type { Lab } from './lab.ts';

const lab = {} as Lab;

test('a lasting situation is made once and undone once, by its end alone', async () => {
  const happened: string[] = [];
  const situation = lasting(async (): Promise<Change> => {
    happened.push('made');
    return Promise.resolve(change('it', async () => void happened.push('undone')));
  });
  expect(() => situation.now()).toThrow('No claim has been given');

  const first = await situation.given(lab);
  await first.undo();
  await situation.given(lab);
  expect([first.name, situation.now().name, ...happened]).toEqual(['it', 'it', 'made']);

  await situation.end();
  await situation.end();
  expect(happened).toEqual(['made', 'undone']);
});

test('a situation that could not be made is tried again, and leaves nothing to undo', async () => {
  let tries = 0;
  const situation = lasting(async (): Promise<Change> => {
    tries += 1;
    return tries === 1 ? Promise.reject(new Error('not yet')) : Promise.resolve(change('it', async () => {}));
  });
  await expect(situation.given(lab)).rejects.toThrow('not yet');
  await situation.end();
  await situation.given(lab);
  expect(tries).toBe(2);
});
