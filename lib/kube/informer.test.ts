import { afterEach, beforeEach, expect, test } from 'vitest';
import { seconds, until } from '#lib/base/until.ts';
import type { Connection } from './connection.ts';
import { informer, type Ask, type Cached } from './informer.ts';

const pod = (name: string, resourceVersion = '1'): Cached => ({
  metadata: { name, namespace: 'x', resourceVersion },
});
const event = (type: string, object: object): string => JSON.stringify({ type, object });

let ending: AbortController;
let said: string[];
let asked: string[];

beforeEach(() => {
  ending = new AbortController();
  [said, asked] = [[], []];
});

afterEach(() => {
  ending.abort();
});

/** An API server that gives these answers in turn, and is silent after them. */
const server = (...answers: (string[] | Error)[]): Ask => {
  let turn = 0;
  return async (path, signal, each) => {
    asked.push(path.replace(/.*resourceVersion=(\d*).*/, 'watch from $1'));
    const answer = answers[turn];
    turn += 1;
    if (answer instanceof Error) throw answer;
    for (const line of answer ?? []) each(line);
    if (answer === undefined)
      await new Promise((resolve) => {
        signal.addEventListener('abort', resolve);
      });
  };
};

const list = (...items: Cached[]): string[] => [
  JSON.stringify({ metadata: { resourceVersion: '10' }, items }),
];

const follow = (ask: Ask) =>
  informer(
    undefined as unknown as Connection,
    { path: '/pods', changed: () => undefined, log: (text) => said.push(text), signal: ending.signal },
    ask,
  );

const seen = async (ask: Ask, requests: number): Promise<string[]> => {
  const pods = follow(ask);
  await until(
    'all requests',
    async () => Promise.resolve(asked.length),
    (count) => count === requests,
    {
      within: seconds(5),
      every: 5,
    },
  );
  return pods.objects().map(({ metadata }) => metadata.name);
};

test('objects are listed and then followed from there on', async () => {
  const changes = [
    event('ADDED', pod('b', '11')),
    event('DELETED', pod('a', '12')),
    event('MODIFIED', pod('b', '13')),
    event('BOOKMARK', { metadata: { resourceVersion: '20' } }),
  ];
  expect(await seen(server(list(pod('a')), changes), 3)).toEqual(['b']);
  expect(asked).toEqual(['/pods', 'watch from 10', 'watch from 20']);
  expect(said).toEqual([]);
});

test('when the API server is away it is told once, and everything is listed again', async () => {
  const away = new Error('connect ECONNREFUSED');
  expect(await seen(server(list(pod('a')), away, away, list(pod('b'))), 5)).toEqual(['b']);
  expect(said).toEqual([
    '/pods cannot be followed, will be listed again: connect ECONNREFUSED',
    '/pods is listed again',
  ]);
});

test('a watch that is too old is followed by a new list', async () => {
  const gone = [event('ERROR', { code: 410, message: 'too old' })];
  expect(await seen(server(list(pod('a')), gone, list(pod('b'))), 4)).toEqual(['b']);
  expect(said[0]).toContain('410 too old');
});

test('before the first list nothing is known', () => {
  expect(follow(server(new Error('not yet'))).synced()).toBe(false);
});
