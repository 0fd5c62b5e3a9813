import { createServer, type AddressInfo } from 'node:net';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { attempt, run, type Run } from '#lib/base/command.ts';
import { exists } from '#lib/base/files.ts';
import { settings as readSettings } from '#lib/base/settings.ts';
import { temporary } from '#lib/base/temporary.ts';
import { existingProvider } from '#lib/machines/existing/provider.ts';
import { existingSettings } from '#lib/machines/existing/settings.ts';
import { forward } from '#lib/machines/local/forward.ts';
import { closeLab, endingAll, enterLab, findLab, openLab } from '#lib/machines/local/lab.ts';
import { multipass } from '#lib/machines/multipass/cli.ts';
import { multipassProvider, removingAll } from '#lib/machines/multipass/provider.ts';
import { folders } from '#lib/machines/multipass/stand-in/folders.ts';
import { clientFolder, standIn } from '#lib/machines/multipass/stand-in/service.ts';
import { pathUnlikeLinux } from '#lib/machines/unlike-linux.ts';

/*
 * What the providers multipass and existing run on the host, on one that has neither /proc nor what only Linux or GNU
 * has. The machines themselves have Linux.
 */

vi.setConfig({ testTimeout: 60_000 });

const linux = process.env['PATH'] ?? '';
let scratch: Awaited<ReturnType<typeof temporary>>;
let path: string;

beforeEach(async () => {
  scratch = await temporary();
  path = join(scratch.path, 'bin');
  await pathUnlikeLinux(path, {
    // a machine whose commands are this host's, with all that Linux has
    ssh: `case "$*" in *' -O '*) exit 0 ;; esac\nfor line; do :; done\nPATH='${linux}' exec sh -c "$line"`,
  });
  vi.stubEnv('LAB_CACHE', scratch.path);
  vi.stubEnv('ISTIO_VM_CONFORMANCE_PROC', '/nowhere');
});

afterEach(async () => {
  await closeLab('away').catch(() => undefined);
  vi.unstubAllEnvs();
  await scratch[Symbol.asyncDispose]();
});

test('what macOS lacks is lacking, and what only GNU knows is refused', async () => {
  vi.stubEnv('PATH', path);
  for (const program of ['setsid', 'nsenter', 'setpriv', 'unshare', 'socat', 'ip', 'flock', 'timeout'])
    await expect(run([program])).rejects.toThrow('Could not be started');
  for (const words of [
    ['stat', '-c', '%s', '/'],
    ['readlink', '-f', '/'],
    ['sed', '-r', 's/a/b/'],
  ])
    await expect(run(words)).rejects.toThrow('illegal option');
  expect((await run(['sed', 's/a/b/'], { input: 'a' })).stdout).toBe('b');
});

test.each(['multipass', 'existing'])('a lab of %s is kept, reached and ended', async (provider) => {
  vi.stubEnv('PATH', path);
  const asked = readSettings({ LAB_NAME: 'away', LAB_PROVIDER: provider, LAB_CACHE: scratch.path });
  const { lab } = await openLab(asked);
  const ending = `#!/bin/sh\n${endingAll(lab)}\n${removingAll('away')}`;
  await writeFile(join(lab.dir, 'on-end'), ending, { mode: 0o755 });
  expect((await run([...enterLab(lab), 'sh', '-c', 'echo "$ISTIO_VM_CONFORMANCE_LAB"'])).stdout).toBe(
    `${lab.dir}\n`,
  );
  const server = createServer((socket) => socket.end('told'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = await forward(lab, 'api', `127.0.0.1:${String((server.address() as AddressInfo).port)}`);
  const ask = `require('node:net').connect(${String(port)}, '127.0.0.1').pipe(process.stdout)`;
  expect((await run([process.execPath, '-e', ask])).stdout).toBe('told');

  await closeLab('away');
  server.close();

  expect(await findLab('away')).toBeUndefined();
  expect(exists(lab.dir)).toBe(false);
  expect((await attempt([process.execPath, '-e', ask])).code).not.toBe(0);
});

test('instances of multipass are launched, used and removed', async () => {
  const service = await standIn(scratch.path, folders(join(scratch.path, 'instances')));
  const here: Run = async (words, options = {}) =>
    attempt(words, { ...options, env: { ...options.env, ...service.env, PATH: `${clientFolder}:${path}` } });
  const cli = multipass(here);
  const lab = { name: 'away', dir: join(scratch.path, 'lab') };
  const provider = multipassProvider({ lab, multipass: cli, patience: 20_000 });
  const spec = { name: 'vm', size: { cpus: 1, memoryMiB: 1024, diskGiB: 5 } };

  const vm = await provider.launch({
    ...spec,
    firstBoot: { files: [{ path: '/srv/who', content: 'here\n' }] },
  });
  await vm.upload(join(path, 'ssh'), '/srv/file');
  expect([await vm.read('/srv/who'), await vm.address()]).toEqual(['here\n', '192.0.2.1']);
  await provider.remove('vm');
  await provider.launch({ ...spec, name: 'left' });
  const onEnd = join(lab.dir, 'on-end');
  await writeFile(onEnd, `#!/bin/sh\n${removingAll('away')}`, { mode: 0o755 });

  expect(await here([onEnd])).toMatchObject({ code: 0, stderr: '' });
  expect(await cli.list()).toEqual([]);
  await service.close();
});

test('a machine that exists is looked at', async () => {
  vi.stubEnv('PATH', path);
  const settings = existingSettings({ EXISTING_VM: 'root@vm.example' });
  const provider = existingProvider({ lab: 'away', settings, names: ['vm'], join: true });
  expect(await provider.look('vm')).toBe(false);
  expect((await provider.machine('vm').attempt(['sh', '-c', 'command -v setsid'])).code).toBe(0);
  await provider.disconnect();
});
