import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { attempt, run } from '#lib/base/command.ts';
import { exists } from '#lib/base/files.ts';
import { endProcess } from '#lib/base/processes.ts';
import { settings as readSettings } from '#lib/base/settings.ts';
import { temporary } from '#lib/base/temporary.ts';
import { seconds, until } from '#lib/base/until.ts';
import { forward } from './forward.ts';
import { closeLab, endingAll, enterLab, findLab, openLab } from './lab.ts';

let folder: Awaited<ReturnType<typeof temporary>>;
let told: string;
beforeEach(async () => {
  folder = await temporary();
  told = join(folder.path, 'told');
  vi.stubEnv('LAB_CACHE', folder.path);
});
afterEach(async () => {
  await closeLab('away').catch(() => undefined);
  vi.unstubAllEnvs();
  await folder[Symbol.asyncDispose]();
});

const settings = () => readSettings({ LAB_NAME: 'away', LAB_PROVIDER: 'existing', LAB_CACHE: folder.path });

/** A lab whose end is told in a file, and fails while there is another. */
async function open(): Promise<{ dir: string; failing: string }> {
  const { lab } = await openLab(settings());
  const failing = join(folder.path, 'failing');
  const program = join(lab.dir, 'on-end');
  await writeFile(
    program,
    `#!/bin/sh\n[ ! -e ${failing} ] || { echo "no way there" >&2; exit 1; }\necho ended >>${told}\n`,
  );
  await chmod(program, 0o755);
  return { dir: lab.dir, failing };
}

const ends = async (): Promise<number> =>
  exists(told) ? (await readFile(told, 'utf8')).trim().split('\n').length : 0;

const killKeeper = async (dir: string): Promise<void> => {
  const [pid = ''] = (await readFile(join(dir, 'keeper'), 'utf8')).split(' ');
  endProcess(Number(pid), 'SIGKILL');
  await until(
    'the lab ends with its keeper',
    async () => findLab('away'),
    (lab) => lab === undefined,
    {
      within: seconds(10),
    },
  );
};

test('a lab elsewhere stands without namespaces, and what it has there is ended once', async () => {
  const { dir } = await open();
  expect(await findLab('away')).toMatchObject({ name: 'away', dir });
  expect(exists(join(dir, 'nodes'))).toBe(false);
  await closeLab('away');
  expect(exists(dir)).toBe(false);
  expect(await ends()).toBe(1);
});

test('what its keeper could not end is ended by whoever closes it, or opens it anew', async () => {
  await killKeeper((await open()).dir);
  await closeLab('away');
  expect(await ends()).toBe(1);

  await killKeeper((await open()).dir);
  await openLab(settings());
  expect(await ends()).toBe(2);
});

test('a lab that is on its way out is not taken over, but waited for', async () => {
  const { dir } = await open();
  const going = join(folder.path, 'going');
  const program = `#!/bin/sh\nwhile [ ! -e ${going} ]; do sleep 0.05; done\necho ended >>${told}\n`;
  await writeFile(join(dir, 'on-end'), program);
  const first = closeLab('away');
  await until(
    'the lab is going',
    async () => findLab('away'),
    (lab) => lab === undefined,
    { within: seconds(10) },
  );
  const next = openLab(settings());
  await writeFile(going, '');
  await first;
  expect(await next).toMatchObject({ kept: false });
  expect(await ends()).toBe(1);
});

test('when that fails it is said, and the folder stays until it goes well', async () => {
  const { dir, failing } = await open();
  await writeFile(failing, '');
  await expect(closeLab('away')).rejects.toThrow(
    'What lab away has elsewhere could not be ended: no way there `npm run lab -- down` tries again.',
  );
  expect(exists(join(dir, 'on-end'))).toBe(true);
  await expect(openLab(settings())).rejects.toThrow('no way there');
  await rm(failing);
  await closeLab('away');
  expect(exists(dir)).toBe(false);
  expect(await ends()).toBe(1);
});

test('what is put into it runs on this host, and ends with it', async () => {
  const { lab } = await openLab(settings());
  await writeFile(join(lab.dir, 'on-end'), `#!/bin/sh\n${endingAll(lab)}\n`, { mode: 0o755 });
  const background = ['setsid', '-f', 'sh', '-c', 'exec "$@" >/dev/null 2>&1 </dev/null', '-'];
  // nobody else sleeps that long
  const [inside, outside] = ['86394', '86393'].map((long) => `${long}.${String(process.pid)}`) as [
    string,
    string,
  ];
  await run([...enterLab(lab), ...background, 'sleep', inside]);
  await run([...background, 'sleep', outside]);
  const running = async (long: string): Promise<string> =>
    (await attempt(['pgrep', '-f', `^sleep ${long}`])).stdout.trim();
  await until(
    'both run',
    async () => Promise.all([running(inside), running(outside)]),
    (pids) => pids.every(Boolean),
    { within: seconds(10) },
  );

  await closeLab('away');

  const [left, other] = [await running(inside), await running(outside)];
  endProcess(Number(other), 'SIGKILL');
  expect({ left, other }).toEqual({ left: '', other: expect.stringMatching(/^\d+$/) as string });
});

test('its forwarders listen on loopback, and connect from this host', async () => {
  const { lab } = await openLab(settings());
  await writeFile(join(folder.path, 'socat'), '#!/bin/sh\necho "$@" >>"$ISTIO_VM_CONFORMANCE_LAB/socat"\n', {
    mode: 0o755,
  });
  vi.stubEnv('PATH', `${folder.path}:${process.env['PATH'] ?? ''}`);

  const port = await forward(lab, 'api', '192.0.2.10:6443');

  const words = await until(
    'it was started',
    async () => readFile(join(lab.dir, 'socat'), 'utf8'),
    (text) => text.endsWith('\n'),
    { within: seconds(10) },
  );
  expect(words).toBe(`TCP-LISTEN:${String(port)},bind=127.0.0.1,reuseaddr,fork TCP:192.0.2.10:6443\n`);
});
