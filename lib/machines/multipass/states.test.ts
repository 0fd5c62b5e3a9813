import { expect, test } from 'vitest';
import { states } from './states.ts';

test('a state is asked for once by many, and again when it is old, was changed, or was not Running', async () => {
  const asked: string[] = [];
  let now: string | undefined = 'Running';
  const ask = async (name: string): Promise<string | undefined> => {
    asked.push(name);
    return Promise.resolve(now);
  };
  const known = states(ask, { fresh: 60_000 });
  expect(await Promise.all(['a', 'a', 'b'].map(known.of))).toEqual(['Running', 'Running', 'Running']);
  expect(asked).toEqual(['a', 'b']);

  now = 'Stopped';
  expect(await known.of('a')).toBe('Running');
  known.forget('a');
  expect([await known.of('a'), await known.of('a')]).toEqual(['Stopped', 'Stopped']);
  expect(asked).toEqual(['a', 'b', 'a', 'a']);

  const old = states(ask, { fresh: 0 });
  await old.of('c');
  await old.of('c');
  expect(asked.slice(4)).toEqual(['c', 'c']);
});

test('a question that failed is asked again', async () => {
  let broken = true;
  const known = states(async () => (broken ? Promise.reject(new Error('no')) : Promise.resolve('Running')));
  await expect(known.of('a')).rejects.toThrow('no');
  broken = false;
  expect(await known.of('a')).toBe('Running');
});
