import { mkdir, readFile, readdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ownArchitecture } from '#lib/artifacts/architecture.ts';
import { istioRelease, packageIn } from '#lib/artifacts/release/istio-release.ts';
import { packageOf } from '#lib/artifacts/release/made-up.ts';
import { made } from '#lib/artifacts/store.ts';
import { run } from '#lib/base/command.ts';
import { RefusedError } from '#lib/base/errors.ts';
import { exists } from '#lib/base/files.ts';
import { faultyServer } from '#lib/base/faulty-server.ts';
import { settings } from '#lib/base/settings.ts';
import { temporary } from '#lib/base/temporary.ts';
import { ownCache } from './own-cache.ts';
import { officialPaths, publishArchive, publishPackages } from './pack.ts';

const version = '1.27.9';
let dir: string;
let scratch: Awaited<ReturnType<typeof temporary>>;
beforeEach(async () => {
  scratch = await temporary();
  dir = scratch.path;
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
});
afterEach(async () => {
  vi.restoreAllMocks();
  await scratch[Symbol.asyncDispose]();
});

/** What the modules source builds, as far as archive and packages go, and the files of the module. */
async function parts() {
  const [istio, module] = [join(dir, 'istio'), join(dir, 'module')];
  for (const folder of [istio, join(module, 'manifests/charts'), join(module, 'samples/multicluster')])
    await mkdir(folder, { recursive: true });
  await writeFile(join(istio, 'istioctl'), '#!/bin/sh\necho istioctl\n', { mode: 0o755 });
  await writeFile(join(module, 'manifests/charts/any.yaml'), 'a: 1\n');
  const script = join(module, 'samples/multicluster/gen-eastwest-gateway.sh');
  await writeFile(script, '#!/bin/sh\n', { mode: 0o444 });
  const packages: Record<string, string> = {};
  for (const architecture of [ownArchitecture, 'arm64'] as const) {
    packages[architecture] = join(dir, `${architecture}.deb`);
    const content = await packageOf(architecture, version, 'exit 1', join(dir, 'deb', architecture));
    await writeFile(packages[architecture], content);
  }
  return {
    istio,
    module,
    sidecarPackage: packages[ownArchitecture] ?? '',
    arm64Package: packages['arm64'] ?? '',
  };
}

test('the release source installs what was packed, at the paths of the official sites', async () => {
  const built = await parts();
  const site = join(dir, 'site');
  await publishPackages(site, { version }, built);
  await publishArchive(site, version, built, run);
  await using server = await faultyServer(site);
  const paths = officialPaths();
  const release = istioRelease(
    settings({
      ISTIO_VERSION: version,
      ISTIO_RELEASES: server.address + paths.istio,
      ISTIO_PACKAGES: server.address + paths.packages,
    }),
  );
  const store = join(dir, 'store');

  const archive = await made(release.archive, { store });
  const foreign = await made(release.packages.arm64, { store });

  expect((await run([join(archive, 'istioctl')])).stdout).toBe('istioctl\n');
  expect(await readFile(packageIn(foreign, 'arm64'))).toEqual(await readFile(built.arm64Package));
  expect(new Set(server.asked)).toEqual(
    new Set([
      `/istio/istio/releases/download/${version}/${archiveName}`,
      `/istio/istio/releases/download/${version}/${archiveName}.sha256`,
      `/istio-release/releases/${version}/deb/istio-sidecar-arm64.deb`,
      `/istio-release/releases/${version}/deb/istio-sidecar-arm64.deb.sha256`,
    ]),
  );
});

const archiveName = `istio-${version}-linux-${ownArchitecture === 'arm64' ? 'arm64' : 'amd64'}.tar.gz`;

test('the archive has programs, manifests and samples, and its scripts can be run', async () => {
  const site = join(dir, 'site');
  await publishArchive(site, version, await parts(), run);

  const archive = join(site, officialPaths().istio, version, archiveName);
  const { stdout } = await run(['tar', '--list', '--verbose', '--gzip', '--file', archive]);

  expect(stdout).toMatch(new RegExp(`^-rwx.* istio-${version}/bin/istioctl$`, 'm'));
  expect(stdout).toMatch(new RegExp(`^-rw-.* istio-${version}/manifests/charts/any\\.yaml$`, 'm'));
  expect(stdout).toMatch(
    new RegExp(`^-rwxr-xr-x.* istio-${version}/samples/multicluster/gen-eastwest-gateway\\.sh$`, 'm'),
  );
});

test('a folder is served with its files alone', async () => {
  await writeFile(join(dir, 'secret'), 'x');
  await mkdir(join(dir, 'served'));
  await using server = await faultyServer(join(dir, 'served'));

  for (const path of ['/..%2fsecret', '/%2e%2e/secret', '/absent'])
    expect((await fetch(server.address + path)).status).toBe(404);
});

/** A cache with one artifact, a draft, a lab and a note on acceleration. */
async function aCache(): Promise<string> {
  const cache = join(dir, 'cache');
  for (const folder of ['artifacts/envoy-1', 'artifacts/x.1.draft', 'labs/other', 'acceleration'])
    await mkdir(join(cache, folder), { recursive: true });
  await writeFile(join(cache, 'artifacts/envoy-1/envoy'), 'envoy');
  return cache;
}

test('a cache of its own has what the other has, and what comes to it goes with it', async () => {
  const cache = await aCache();

  const own = await ownCache(cache);
  expect(await readdir(join(own.path, 'artifacts'))).toEqual(['envoy-1']);
  expect(await readFile(join(own.path, 'artifacts/envoy-1/envoy'), 'utf8')).toBe('envoy');
  expect((await readdir(own.path)).sort()).toEqual(['acceleration', 'artifacts']);
  await mkdir(join(own.path, 'artifacts/image-1'));

  expect(await own.end()).toEqual([]);
  expect(await readdir(join(cache, 'artifacts'))).toEqual(['envoy-1', 'x.1.draft']);
  expect(await readFile(join(cache, 'artifacts/envoy-1/envoy'), 'utf8')).toBe('envoy');
  expect(exists(own.path)).toBe(false);
});

test('what was left half-way is begun anew; a lab on it is not pulled away from', async () => {
  const cache = await aCache();
  const left = await ownCache(cache);
  await symlink('/nowhere', join(left.path, 'artifacts/gone'));
  expect(await readdir(join((await ownCache(cache)).path, 'artifacts'))).toEqual(['envoy-1']);

  await mkdir(join(left.path, 'labs/kept'), { recursive: true });

  expect(await left.end()).toEqual(['kept']);
  expect((await stat(left.path)).isDirectory()).toBe(true);
  await expect(ownCache(cache)).rejects.toThrow(RefusedError);
  await expect(ownCache(cache)).rejects.toThrow(
    /^Lab kept of an earlier local release stands on .*LAB_NAME=kept npm/,
  );
});
