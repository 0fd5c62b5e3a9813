import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { spawnDetached } from '#lib/base/command.ts';
import { exists } from '#lib/base/files.ts';
import { descendantsOf, endProcess, isAlive, processOf } from '#lib/base/processes.ts';
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

/** Where there is /proc, and where there is none. */
const systems = [
  ['with /proc', '/proc'],
  ['without', '/nowhere'],
] as const;

test.each(systems)('what is put into it runs on this host, and ends with it (%s)', async (_, proc) => {
  vi.stubEnv('ISTIO_VM_CONFORMANCE_PROC', proc);
  const { lab } = await openLab(settings());
  await writeFile(join(lab.dir, 'on-end'), `#!/bin/sh\n${endingAll(lab)}\n`, { mode: 0o755 });
  const log = join(folder.path, 'log');
  // one that has a child, and one that is none of the lab's
  const inside = await spawnDetached([...enterLab(lab), 'sh', '-c', 'sleep 91 & wait'], { log });
  const outside = await spawnDetached(['sleep', '91'], { log });
  const [child] = await until(
    'its child runs',
    async () => Promise.resolve(descendantsOf(inside)),
    (below) => below.length === 1,
    { within: seconds(10) },
  );
  const [first, other] = [processOf(inside), processOf(outside)];

  await closeLab('away');

  const left = { first: isAlive(first), child: isAlive(child), other: isAlive(other) };
  endProcess(outside);
  expect(left).toEqual({ first: false, child: false, other: true });
});

test.each(systems)('its forwarders listen on loopback, and end with it (%s)', async (_, proc) => {
  vi.stubEnv('ISTIO_VM_CONFORMANCE_PROC', proc);
  const { lab } = await openLab(settings());
  await writeFile(join(lab.dir, 'on-end'), `#!/bin/sh\n${endingAll(lab)}\n`, { mode: 0o755 });
  const server = createServer((_request, response) => response.end('told'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port: far } = server.address() as AddressInfo;

  const port = await forward(lab, 'api', `127.0.0.1:${String(far)}`);

  expect(port).not.toBe(far);
  const url = `http://127.0.0.1:${String(port)}/`;
  expect(await (await fetch(url)).text()).toBe('told');
  await closeLab('away');
  await expect(fetch(url)).rejects.toThrow('fetch failed');
  server.close();
});
