import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { faultyServer, type FaultyServer } from '#lib/base/faulty-server.ts';
import { temporary } from '#lib/base/temporary.ts';
import { meshParts, releasedMesh, type Mesh } from './mesh.ts';
import { containerTool, imageArchive, publishIstio, settingsFor, type MadeUp } from './release/made-up.ts';
import { istioRelease } from './release/istio-release.ts';

const version = '1.22.3';
let site: FaultyServer;
let scratch: Awaited<ReturnType<typeof temporary>>;
let paths: MadeUp;
let places: number[];

beforeEach(async () => {
  [site, scratch] = await Promise.all([faultyServer(), temporary()]);
  paths = await publishIstio(site, version, join(scratch.path, 'made-up'));
  const layer = { '/usr/local/bin/pilot-discovery': 'echo pilot-discovery' };
  const image = await imageArchive(`docker.io/istio/pilot:${version}`, [layer], join(scratch.path, 'pilot'));
  await containerTool('podman', image, scratch.path);
  vi.stubEnv('PATH', `${scratch.path}:${process.env['PATH'] ?? ''}`);
  vi.stubEnv('LAB_CACHE', join(scratch.path, 'cache'));
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  places = [];
});

afterEach(async () => {
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  await site[Symbol.asyncDispose]();
  await scratch[Symbol.asyncDispose]();
});

const mesh = (signal?: AbortSignal): Mesh => {
  const settings = settingsFor(site, { ISTIO_VERSION: version, CONTAINER_TOOL: 'podman' });
  return releasedMesh(istioRelease(settings), (i) => {
    places.push(i);
    return { i, n: meshParts, ...(signal && { signal }) };
  });
};

test('a release gives what the modules give: programs, Envoy, packages, and the images as they are', async () => {
  const { istio, envoy, sidecarPackage, arm64, pulled, all } = mesh();
  await Promise.all(all);

  expect(await readFile(join(await istio, 'pilot-discovery'), 'utf8')).toContain('echo pilot-discovery');
  expect(await readdir(await envoy)).toContain('envoy');
  expect(basename(await sidecarPackage)).toMatch(/^istio-sidecar(-arm64)?\.deb$/);
  expect(basename((await arm64).sidecarPackage)).toBe('istio-sidecar-arm64.deb');
  expect(await readdir((await arm64).agent)).toContain('pilot-agent');
  expect(Object.values((await pulled) ?? {}).map((file) => basename(file))).toEqual([
    'image.tar',
    'image.tar',
  ]);
  expect(Math.max(...places)).toBeLessThanOrEqual(meshParts);
});

test('when one part is refused the others can be called off, and nothing half-made is left', async () => {
  site.faults.set(paths.archive, ['damaged', 'on']);
  site.faults.set(paths.packages.arm64, ['stalls', 'on']);
  const off = new AbortController();
  const { all } = mesh(off.signal);

  await expect(Promise.all(all)).rejects.toThrow(/linux-\w+\.tar\.gz has the SHA-256/);
  off.abort(new Error('called off'));
  const ends = await Promise.allSettled(all);

  const reasons = ends.flatMap((end) => (end.status === 'rejected' ? [String(end.reason)] : []));
  expect(reasons).toContain('Error: called off');
  const left = await readdir(join(scratch.path, 'cache/artifacts'));
  expect(left.filter((name) => name.includes('draft') || name.startsWith('istio-archive'))).toEqual([]);
});
