import { expect, test } from 'vitest';
import { logins } from './logins.ts';

/** Calls that end when they are told to, and which of them have begun. */
function calls() {
  const begun: number[] = [];
  const ends = new Map<number, () => void>();
  const call = (n: number) => async (): Promise<void> => {
    begun.push(n);
    await new Promise<void>((resolve) => ends.set(n, resolve));
  };
  return { begun, call, end: (n: number) => ends.get(n)?.() };
}
const turn = async (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('so many log in to an instance at a time, and the next when one has ended', async () => {
  const login = logins({ most: 2, lasting: 60_000 });
  const { begun, call, end } = calls();
  const all = [1, 2, 3].map(async (n) => login('one', undefined, call(n)));
  void login('other', undefined, call(4));
  await turn();
  expect(begun).toEqual([1, 2, 4]);
  end(1);
  await turn();
  expect(begun).toEqual([1, 2, 4, 3]);
  end(2);
  end(3);
  await Promise.all(all);
});

test('a command that goes on has logged in long ago and keeps nobody waiting', async () => {
  const login = logins({ most: 1, lasting: 20 });
  const { begun, call, end } = calls();
  const first = login('one', undefined, call(1));
  const second = login('one', undefined, async () => Promise.resolve('done'));
  expect(await second).toBe('done');
  expect(begun).toEqual([1]);
  end(1);
  await first;
});

test('one that is called off while it waits goes on to its end at once', async () => {
  const login = logins({ most: 1, lasting: 60_000 });
  const { begun, call, end } = calls();
  const first = login('one', undefined, call(1));
  const off = new AbortController();
  const second = login('one', off.signal, call(2));
  off.abort();
  await turn();
  expect(begun).toEqual([1, 2]);
  end(1);
  end(2);
  await Promise.all([first, second]);
});
