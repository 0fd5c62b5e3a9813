import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Run } from '#lib/base/command.ts';
import { goBuild, goInputs } from './go.ts';

const programs = { folder: 'images/programs', programs: { etcd: 'example.org/etcd/server/v3' } };

test('a build shows which package of how many it is at, and names programs as asked', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'go-test-'));
  const notes: string[] = [];
  const run: Run = async (words, { onLine } = {}) => {
    if (words[1] === 'list') {
      onLine?.('go: downloading example.org/etcd v3.6.4');
      return { stdout: 'a\nb\nexample.org/etcd/server/v3\n', stderr: '', code: 0, ms: 1 };
    }
    for (const line of ['a', 'unknown', 'b', 'example.org/etcd/server/v3']) onLine?.(line);
    await writeFile(join(dir, 'server'), '');
    return { stdout: '', stderr: '', code: 0, ms: 1 };
  };

  await goBuild(programs, dir, (text) => notes.push(text), run);

  expect(await readdir(dir)).toEqual(['etcd']);
  expect(notes).toEqual([
    'downloading module 1, example.org/etcd',
    'compiling',
    'package 1 of 3, a',
    'package 1 of 3, unknown',
    'package 2 of 3, b',
    'linking',
  ]);
  await rm(dir, { recursive: true });
});

test('linker values and sources are part of what a build depends on', async () => {
  const plain = JSON.stringify(await goInputs(programs));

  expect(plain).toContain('helloworld/main.go');
  expect(JSON.stringify(await goInputs({ ...programs, values: { 'x.version': '1' } }))).not.toBe(plain);
});

test('another architecture makes another build', async () => {
  let environment: Record<string, string | undefined> = {};
  const run: Run = async (_, { env = {} } = {}) => {
    environment = env;
    return Promise.reject(new Error('enough'));
  };
  const foreign = { ...programs, architecture: 'arm64' } as const;

  await expect(goBuild(foreign, '/nowhere', () => undefined, run)).rejects.toThrow('enough');

  expect(environment['GOARCH']).toBe('arm64');
  expect(await goInputs(foreign)).toMatchObject({ arch: 'arm64' });
});
