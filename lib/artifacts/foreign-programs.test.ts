import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { attempt } from '#lib/base/command.ts';
import { temporary } from '#lib/base/temporary.ts';
import { withForeignPrograms } from './foreign-programs.ts';

interface Seen {
  /** What the programs that tell the kernel were called with. */
  told: string;
  registered: string;
  said: string;
  code: number;
}

/**
 * What comes of a command on a made-up host.
 *
 * @param status what the programs that tell the kernel end with
 * @param files what is there, by place: `kernel/…` and `formats/…`
 */
async function tried(status: number, files: Readonly<Record<string, string>> = {}): Promise<Seen> {
  await using folder = await temporary();
  const at = (...parts: string[]): string => join(folder.path, ...parts);
  for (const one of ['kernel', 'formats', 'bin']) await mkdir(at(one));
  for (const [place, text] of Object.entries(files)) await writeFile(at(place), text);
  await writeFile(at('calls'), '');
  for (const name of ['update-binfmts', 'mount']) {
    const program = `#!/bin/sh\necho ${name} "$@" >>'${at('calls')}'\nexit ${String(status)}\n`;
    await writeFile(at('bin', name), program, { mode: 0o755 });
  }
  const places = { kernel: at('kernel'), formats: at('formats') };
  const words = withForeignPrograms('arm64', ['printf', '<%s>', 'one word', '$HOME'], places);
  const { stdout, code } = await attempt(words, {
    env: { PATH: `${at('bin')}:${process.env['PATH'] ?? ''}` },
  });
  const told = (await readFile(at('calls'), 'utf8')).replaceAll(`${folder.path}/`, '');
  const registered = await readFile(at('kernel', 'register'), 'utf8').catch(() => '');
  return { told, registered, said: stdout, code };
}

const done = { said: '<one word><$HOME>', code: 0 };
const format = { 'formats/qemu-aarch64.conf': ':qemu-aarch64:M::…\n' };

test('the kernel is told of the programs before the command is run, whose words stay as they are', async () => {
  expect(await tried(0)).toEqual({ told: 'update-binfmts --enable qemu-aarch64\n', registered: '', ...done });
});

test('where the kernel cannot be told the command is not run', async () => {
  expect(await tried(2)).toMatchObject({ said: '', code: 2 });
  expect(await tried(2, format)).toMatchObject({ told: expect.stringContaining('mount') as string, code: 2 });
});

test('Debian 13 has the format in a file for systemd, which the kernel is told as it is', async () => {
  expect(await tried(0, { ...format, 'kernel/register': '' })).toEqual({
    ...{ told: '', registered: ':qemu-aarch64:M::…\n' },
    ...done,
  });
  expect(await tried(0, format)).toMatchObject({
    told: 'mount -t binfmt_misc binfmt_misc kernel\n',
    registered: ':qemu-aarch64:M::…\n',
  });
});

test('a format that the kernel knows is not told again, which it would refuse', async () => {
  const known = { ...format, 'kernel/register': '', 'kernel/qemu-aarch64': 'enabled' };
  expect(await tried(0, known)).toEqual({ told: '', registered: '', ...done });
});
