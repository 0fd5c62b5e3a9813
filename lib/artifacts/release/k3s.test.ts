import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RefusedError } from '#lib/base/errors.ts';
import { faultyServer, type FaultyServer } from '#lib/base/faulty-server.ts';
import { temporary } from '#lib/base/temporary.ts';
import { k3s, lackOfK3s, type K3s } from './k3s.ts';
import { publishK3s, settingsFor } from './made-up.ts';

const version = 'v1.27.7+k3s1';
let site: FaultyServer;
let dir: Awaited<ReturnType<typeof temporary>>;

beforeEach(async () => {
  [site, dir] = await Promise.all([faultyServer(), temporary()]);
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
});

afterEach(async () => {
  vi.restoreAllMocks();
  await site[Symbol.asyncDispose]();
  await dir[Symbol.asyncDispose]();
});

const get = async (): Promise<K3s> => k3s(settingsFor(site), { store: dir.path }, 'x64');

test('its program and the smallest form of its images are fetched once, at the addresses of its releases', async () => {
  const base = publishK3s(site, version, ['tar', 'tar.zst']);

  const { program, images } = await get();

  expect((await stat(program)).mode & 0o777).toBe(0o755);
  expect(basename(images)).toBe('k3s-airgap-images.tar.zst');
  expect(
    (await readFile(images)).equals(
      site.files.get(`${base}/k3s-airgap-images-amd64.tar.zst`) ?? Buffer.alloc(0),
    ),
  ).toBe(true);
  expect(new Set(site.asked)).toEqual(
    new Set([`${base}/sha256sum-amd64.txt`, `${base}/k3s`, `${base}/k3s-airgap-images-amd64.tar.zst`]),
  );
  expect(base).toContain('/v1.27.7%2Bk3s1');

  site.asked.length = 0;
  expect(await get()).toEqual({ program, images });
  expect(site.asked).toEqual([]);
});

test('a release with the plain form alone will do', async () => {
  publishK3s(site, version, ['tar']);

  expect(basename((await get()).images)).toBe('k3s-airgap-images.tar');
});

test('whether it can be had is told beforehand, by its checksum file or the cache', async () => {
  const settings = settingsFor(site, { LAB_CACHE: dir.path });
  const lack = async (): Promise<string | undefined> =>
    lackOfK3s(settings, { within: 500, architecture: 'x64' });

  expect(await lack()).toMatch(/sha256sum-amd64\.txt is not to be had \(HTTP 404\)$/);
  publishK3s(site, version, ['tar']);
  expect(await lack()).toBeUndefined();

  await k3s(settings, { store: join(dir.path, 'artifacts') }, 'x64');
  await site[Symbol.asyncDispose]();
  expect(await lack()).toBeUndefined();
  const other = settingsFor(site, { LAB_CACHE: dir.path, K3S_VERSION: 'v1.30.1+k3s1' });
  expect(await lackOfK3s(other, { within: 500 })).toMatch(/cannot be reached \(.*ECONNREFUSED/);
});

test.each<[string, () => void, RegExp]>([
  ['without checksums', () => undefined, /sha256sum-amd64\.txt is not to be had \(HTTP 404\), so nothing/],
  [
    'without images',
    () => publishK3s(site, version, []),
    /sha256sum-amd64\.txt has no checksum of any of k3s-airgap-/,
  ],
  [
    'with a damaged program',
    () => {
      const base = publishK3s(site, version, ['tar']);
      site.faults.set(`${base}/k3s`, ['damaged']);
    },
    /%2Bk3s1\/k3s has the SHA-256 [0-9a-f]{64}, and its checksum file says/,
  ],
])('a release %s is refused by name, with nothing left', async (_, break_, message) => {
  break_();

  const error = await get().catch((thrown: unknown) => thrown);

  expect(error).toBeInstanceOf(RefusedError);
  expect((error as RefusedError).message).toMatch(message);
  expect((await readdir(dir.path)).filter((name) => name.startsWith('k3s'))).toEqual([]);
});
