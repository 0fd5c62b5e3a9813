import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { attempt } from '#lib/base/command.ts';
import { temporary } from '#lib/base/temporary.ts';
import { withForeignPrograms } from './foreign-programs.ts';

/** What comes of a command when the kernel is told well, or not. */
async function tried(status: number): Promise<{ told: string; said: string; code: number }> {
  await using folder = await temporary();
  const calls = join(folder.path, 'calls');
  const program = `#!/bin/sh\necho "$@" >'${calls}'\nexit ${String(status)}\n`;
  await writeFile(join(folder.path, 'update-binfmts'), program, { mode: 0o755 });
  const words = withForeignPrograms('arm64', ['printf', '<%s>', 'one word', '$HOME']);
  const { stdout, code } = await attempt(words, {
    env: { PATH: `${folder.path}:${process.env['PATH'] ?? ''}` },
  });
  return { told: await readFile(calls, 'utf8'), said: stdout, code };
}

test('the kernel is told of the programs before the command is run, whose words stay as they are', async () => {
  expect(await tried(0)).toEqual({ told: '--enable qemu-aarch64\n', said: '<one word><$HOME>', code: 0 });
});

test('where the kernel cannot be told the command is not run', async () => {
  expect(await tried(2)).toEqual({ told: '--enable qemu-aarch64\n', said: '', code: 2 });
});
