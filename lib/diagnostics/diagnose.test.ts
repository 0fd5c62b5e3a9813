import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { attempt } from '#lib/base/command.ts';
import { minutes, seconds } from '#lib/base/until.ts';
import { allowance, bundleOf, type Ask } from './diagnose.ts';
import { sections, sectionsInFile, split } from './sections.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'diagnose-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

const iso = (at: number): string => new Date(at).toISOString();

test('what is dead or hangs keeps nobody from telling, and is named', async () => {
  const to = Date.now();
  const asks: Ask[] = [
    { name: 'VM', ask: async () => Promise.reject(new Error('The machine does not run')) },
    { name: 'API server', ask: async () => new Promise(() => undefined) },
    {
      name: 'node',
      ask: async () =>
        Promise.resolve({
          pieces: [{ file: 'node/routes.txt', text: 'default via nobody' }],
          streams: [{ from: 'sample/curl curl', text: `${iso(to - 500)} stdout F hello` }],
          missing: ['its clock is 9 s ahead of ours'],
        }),
    },
  ];
  await attempt(['true', 'of-this-test']);
  const failure = {
    id: 'vm.x',
    from: to - 1000,
    to: Date.now(),
    verdict: 'failed',
    reason: 'expected 200, seen 503',
  };
  const started = performance.now();
  await bundleOf(failure, folder, asks, [], 300);
  expect(performance.now() - started).toBeLessThan(seconds(5));
  const file = async (name: string): Promise<string> => readFile(join(folder, name), 'utf8');
  expect(await file('node/routes.txt')).toBe('default via nobody');
  const lines = (await file('timeline.txt')).trim().split('\n');
  expect(lines[0]).toContain('vm.x begins');
  expect(lines[1]).toContain('hello');
  expect(lines[2]).toMatch(/harness .*true of-this-test -> exit status 0 \(\d+ ms\)$/);
  expect(lines[3]).toContain('vm.x failed: expected 200, seen 503');
  const index = await file('index.txt');
  expect(index).toContain('VM: The machine does not run');
  expect(index).toContain('API server: No answer within 0.3 s');
  expect(index).toContain('node: its clock is 9 s ahead of ours');
});

test('collecting may take as long as looking did, and always a little', () => {
  expect(allowance(minutes(5), 0)).toBe(seconds(20));
  expect(allowance(minutes(1), seconds(25))).toBe(seconds(10));
  expect(allowance(minutes(1), seconds(40))).toBe(seconds(5));
  expect(allowance(0, 0)).toBe(seconds(5));
  expect(allowance(7957.126, 0.5)).toBe(7956);
});

test('one script tells several things', async () => {
  const here = { name: 'here', attempt };
  const script = [
    'echo lost',
    'section one; echo 1',
    'section two; false',
    'section three; printf 3; exit 1',
  ];
  expect(await sections(here, script)).toEqual([
    ['one', '1\n'],
    ['two', ''],
    ['three', '3'],
  ]);
  const files = { ...here, read: async (path: string) => readFile(path, 'utf8') };
  const slow = ['section one; echo 1', 'section two; echo 2; exec sleep 20', 'section three; echo 3'];
  const { parts, missing } = await sectionsInFile(files, join(folder, 'told'), slow, { within: 3000 });
  expect(parts).toEqual([
    ['one', '1\n'],
    ['two', '2\n'],
  ]);
  expect(missing[0]).toContain('only what it told in time is here: Timed out after 2.1 s');
  expect(split('nothing of ours', '--mark--')).toEqual([]);
});
