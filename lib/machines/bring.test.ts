import { copyFile, mkdir, readFile, readlink, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { attempt, run } from '#lib/base/command.ts';
import { exists } from '#lib/base/files.ts';
import { temporary } from '#lib/base/temporary.ts';
import { bring, packed } from './bring.ts';
import type { Machine } from './machine.ts';

/** A machine whose /var/tmp is a folder of the host. */
const machineIn = (dir: string): Machine => {
  const inside = (words: readonly string[]): string[] =>
    words.map((word) => word.replace(/^\/var\/tmp/, dir));
  return {
    run: async (words: readonly string[]) => run(inside(words)),
    attempt: async (words: readonly string[]) => attempt(inside(words)),
    upload: async (from: string, to: string) => copyFile(from, inside([to])[0] ?? ''),
  } as unknown as Machine;
};

test('a folder arrives as it was, and nothing of the way stays', async () => {
  await using folder = await temporary();
  const at = (...parts: string[]): string => join(folder.path, ...parts);
  await mkdir(at('from/below'), { recursive: true });
  await mkdir(at('machine'));
  await writeFile(at('from/below/tool'), 'tool', { mode: 0o751 });
  await symlink('below/tool', at('from/link'));
  const archive = await (async () => {
    await using made = await packed(at('from'));
    expect(made.bytes).toBe((await stat(made.path)).size);
    await bring(machineIn(at('machine')), made.path, at('machine/to'));
    return made.path;
  })();
  expect(await readFile(at('machine/to/below/tool'), 'utf8')).toBe('tool');
  expect((await stat(at('machine/to/below/tool'))).mode & 0o777).toBe(0o751);
  expect(await readlink(at('machine/to/link'))).toBe('below/tool');
  expect(exists(archive)).toBe(false);
  expect(exists(at('machine/conformance-brought.tar'))).toBe(false);
});

test('a folder that cannot be unpacked is an error, and nothing of the way stays', async () => {
  await using folder = await temporary();
  await writeFile(join(folder.path, 'archive'), 'no archive');
  const failed = bring(machineIn(folder.path), join(folder.path, 'archive'), join(folder.path, 'to'));
  await expect(failed).rejects.toThrow(/tar: /);
  expect(exists(join(folder.path, 'conformance-brought.tar'))).toBe(false);
});
