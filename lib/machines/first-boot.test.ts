import { join } from 'node:path';
import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { attempt, run } from '#lib/base/command.ts';
import { temporary } from '#lib/base/temporary.ts';
import { cloudConfig } from './first-boot.ts';

const done = { hostname: 'worker', done: '/tmp/done' };

test('is a document of user data that keeps every byte, mode and owner', () => {
  const files = [{ path: '/srv/a', content: 'tänk: "$x"\n', mode: 0o600, owner: 'daemon' }];
  const text = cloudConfig({ files }, done);
  expect(text).toMatch(/^#cloud-config\n/);
  const { hostname, write_files: written } = parse(text) as { hostname: string; write_files: unknown[] };
  expect(hostname).toBe('worker');
  expect(written).toEqual([
    {
      path: '/srv/a',
      content: Buffer.from('tänk: "$x"\n').toString('base64'),
      encoding: 'b64',
      permissions: '0600',
      owner: 'daemon:daemon',
    },
  ]);
});

test('its end is told only when every command went well, each in a shell of its own', async () => {
  await using folder = await temporary();
  const commandOf = (commands: string[], file: string): string[] =>
    (
      parse(cloudConfig({ commands }, { hostname: 'x', done: join(folder.path, file) })) as {
        runcmd: [string[]];
      }
    ).runcmd[0];
  await run(commandOf(['cd /; A=1', `echo "$PWD \${A-unset}" >${folder.path}/seen`], 'well'), {
    cwd: '/tmp',
  });
  expect(await readFile(join(folder.path, 'seen'), 'utf8')).toBe('/tmp unset\n');
  expect(await readFile(join(folder.path, 'well'), 'utf8')).toBe('');
  expect((await attempt(commandOf(['false', 'true'], 'ill'))).code).toBe(1);
  await expect(readFile(join(folder.path, 'ill'))).rejects.toThrow('ENOENT');
});
