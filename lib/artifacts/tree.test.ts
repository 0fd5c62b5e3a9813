import { mkdir, mkdtemp, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { CommandError, type Run } from '#lib/base/command.ts';
import { librariesOf, plantTree } from './tree.ts';

const says =
  (stdout: string): Run =>
  async () =>
    Promise.resolve({ stdout, stderr: '', code: 0, ms: 1 });

test('libraries and the loader are found in what ldd says, each once', async () => {
  const ldd = says(
    [
      '/usr/bin/curl:',
      '\tlinux-vdso.so.1 (0x00007f4fbefe5000)',
      '\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f4fb8f2b000)',
      '\t/lib64/ld-linux-x86-64.so.2 (0x00007f4fbefe7000)',
      '/usr/bin/busybox:',
      '\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f4fb8f2b000)',
      '',
    ].join('\n'),
  );

  expect(await librariesOf(['/usr/bin/curl', '/usr/bin/busybox'], ldd)).toEqual([
    '/lib/x86_64-linux-gnu/libc.so.6',
    '/lib64/ld-linux-x86-64.so.2',
  ]);
});

test('a program that is linked statically has no libraries, and what else goes wrong is told', async () => {
  const failing =
    (stderr: string): Run =>
    async (words) => {
      throw new CommandError(words, 'Exit status 1', { stdout: '', stderr, code: 1, ms: 1 });
    };

  expect(await librariesOf(['/usr/bin/busybox'], failing('\tnot a dynamic executable\n'))).toEqual([]);
  await expect(librariesOf(['/none'], failing('ldd: /none: No such file'))).rejects.toThrow('No such file');
});

test('a library that is not there is named', async () => {
  await expect(librariesOf(['/e/envoy'], says('\tlibfoo.so.1 => not found\n'))).rejects.toThrow(
    'Library libfoo.so.1, which one of /e/envoy needs, is not on this machine.',
  );
});

test('a tree has users, certificates, a world-writable /tmp, and what was asked for', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'tree-test-'));
  await mkdir(join(dir, 'from'));
  await writeFile(join(dir, 'from/program'), 'x', { mode: 0o755 });
  await writeFile(join(dir, 'from/certificates'), 'pem');
  const root = join(dir, 'root');

  await plantTree(
    root,
    {
      files: {
        '/opt/program': join(dir, 'from/program'),
        '/etc/ssl/certs/ca-certificates.crt': join(dir, 'from/certificates'),
      },
      links: { '/bin/p': '/opt/program' },
    },
    says(''),
  );

  expect((await stat(join(root, 'tmp'))).mode & 0o7777).toBe(0o1777);
  expect(await readFile(join(root, 'etc/passwd'), 'utf8')).toContain('istio-proxy:x:1337:1337:');
  expect((await stat(join(root, 'opt/program'))).mode & 0o777).toBe(0o755);
  expect(await readlink(join(root, 'bin/p'))).toBe('/opt/program');
  await rm(dir, { recursive: true });
});
