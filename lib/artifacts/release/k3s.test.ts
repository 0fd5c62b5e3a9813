import { readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { RefusedError } from '#lib/base/errors.ts';
import { k3s, lackOfK3s, type K3s } from './k3s.ts';
import { publishK3s, settingsFor, siteForEachTest } from './made-up.ts';

const version = 'v1.27.7+k3s1';
const at = siteForEachTest();

const get = async (): Promise<K3s> => k3s(settingsFor(at.site), { store: at.dir }, 'x64');

test('its program and the smallest form of its images are fetched once, at the addresses of its releases', async () => {
  const base = publishK3s(at.site, version, ['tar', 'tar.zst']);

  const { program, images } = await get();

  expect((await stat(program)).mode & 0o777).toBe(0o755);
  expect(basename(images)).toBe('k3s-airgap-images.tar.zst');
  expect(
    (await readFile(images)).equals(
      at.site.files.get(`${base}/k3s-airgap-images-amd64.tar.zst`) ?? Buffer.alloc(0),
    ),
  ).toBe(true);
  expect(new Set(at.site.asked)).toEqual(
    new Set([`${base}/sha256sum-amd64.txt`, `${base}/k3s`, `${base}/k3s-airgap-images-amd64.tar.zst`]),
  );
  expect(base).toContain('/v1.27.7%2Bk3s1');

  at.site.asked.length = 0;
  expect(await get()).toEqual({ program, images });
  expect(at.site.asked).toEqual([]);
});

test('a release with the plain form alone will do', async () => {
  publishK3s(at.site, version, ['tar']);

  expect(basename((await get()).images)).toBe('k3s-airgap-images.tar');
});

test('whether it can be had is told beforehand, by its checksum file or the cache', async () => {
  const settings = settingsFor(at.site, { LAB_CACHE: at.dir });
  const lack = async (): Promise<string | undefined> =>
    lackOfK3s(settings, { within: 500, architecture: 'x64' });

  expect(await lack()).toMatch(/sha256sum-amd64\.txt is not to be had \(HTTP 404\)$/);
  publishK3s(at.site, version, ['tar']);
  expect(await lack()).toBeUndefined();

  await k3s(settings, { store: join(at.dir, 'artifacts') }, 'x64');
  await at.site[Symbol.asyncDispose]();
  expect(await lack()).toBeUndefined();
  const other = settingsFor(at.site, { LAB_CACHE: at.dir, K3S_VERSION: 'v1.30.1+k3s1' });
  expect(await lackOfK3s(other, { within: 500 })).toMatch(/cannot be reached \(.*ECONNREFUSED/);
});

test.each<[string, () => void, RegExp]>([
  ['without checksums', () => undefined, /sha256sum-amd64\.txt is not to be had \(HTTP 404\), so nothing/],
  [
    'without images',
    () => publishK3s(at.site, version, []),
    /sha256sum-amd64\.txt has no checksum of any of k3s-airgap-/,
  ],
  [
    'with a damaged program',
    () => {
      const base = publishK3s(at.site, version, ['tar']);
      at.site.faults.set(`${base}/k3s`, ['damaged']);
    },
    /%2Bk3s1\/k3s has the SHA-256 [0-9a-f]{64}, and its checksum file says/,
  ],
])('a release %s is refused by name, with nothing left', async (_, break_, message) => {
  break_();

  const error = await get().catch((thrown: unknown) => thrown);

  expect(error).toBeInstanceOf(RefusedError);
  expect((error as RefusedError).message).toMatch(message);
  expect((await readdir(at.dir)).filter((name) => name.startsWith('k3s'))).toEqual([]);
});
