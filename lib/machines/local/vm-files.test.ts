import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run, type Run } from '#lib/base/command.ts';
import { uploadFile, writeFileInGuest } from './vm-files.ts';

let dir = '';

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'files-'));
});

afterEach(async () => {
  await rm(dir, { recursive: true });
});

// the script is the guest's, where standard input is a pipe; this host's shell runs it as well
const guest: Run = async (words, options) => run(['sh', '-c', 'cat | "$@"', '-', ...words], options);

test('a file is written with its mode, in folders that are made', async () => {
  const path = join(dir, 'a folder/to.ken');
  await writeFileInGuest(guest, path, 'first');
  await writeFileInGuest(guest, path, 'sécond', { mode: 0o640 });
  expect(await readFile(path, 'utf8')).toBe('sécond');
  expect((await stat(path)).mode & 0o777).toBe(0o640);
});

test('a file that cannot be written is an error', async () => {
  await writeFile(join(dir, 'file'), '');
  await expect(writeFileInGuest(guest, join(dir, 'file/below'), 'x')).rejects.toThrow('Exit status 1');
});

test('what is uploaded is laid on the disk that carries it, which keeps its size', async () => {
  await writeFile(join(dir, 'drop.img'), Buffer.alloc(4096, 'x'));
  await writeFile(join(dir, 'package'), Buffer.alloc(700, 'p'));
  const asked: string[] = [];
  const recorder: Run = async (words) => {
    asked.push(...words);
    return Promise.resolve({ stdout: '', stderr: '', code: 0, ms: 0 });
  };
  await uploadFile(dir, recorder, join(dir, 'package'), '/opt/package', {
    mode: 0o600,
    owner: 'ubuntu:root',
  });
  expect(await readFile(join(dir, 'drop.img'), 'utf8')).toBe('p'.repeat(700) + 'x'.repeat(3396));
  // whole sectors are read, then what is too much is cut off
  expect(asked.slice(3)).toEqual([
    '-',
    '/opt/package',
    '1024',
    '700',
    '-D',
    '-m',
    '600',
    '-o',
    'ubuntu',
    '-g',
    'root',
  ]);
});

test('a file that the disk cannot hold is refused by name', async () => {
  const big = join(dir, 'big');
  await writeFile(big, '');
  await truncate(big, 513 * 1024 * 1024);
  await expect(uploadFile(dir, run, big, '/big')).rejects.toThrow(`${big} has 537919488 bytes`);
});
