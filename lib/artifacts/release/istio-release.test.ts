import { appendFile, readdir, readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { beforeEach, expect, test, vi } from 'vitest';
import { debianName, ownArchitecture } from '#lib/artifacts/architecture.ts';
import { made } from '#lib/artifacts/store.ts';
import { run } from '#lib/base/command.ts';
import { RefusedError } from '#lib/base/errors.ts';
import type { Fault } from '#lib/base/faulty-server.ts';
import {
  isIstioProxyBuild,
  istioRelease,
  packageIn,
  releasedPrograms,
  type IstioRelease,
} from './istio-release.ts';
import {
  containerTool,
  imageArchive,
  packageOf,
  publishIstio,
  settingsFor,
  type MadeUp,
  siteForEachTest,
} from './made-up.ts';
import { archiveOf } from './pulled-image.ts';

const version = '1.26.0';
const at = siteForEachTest();
let store: string;
let paths: MadeUp;

beforeEach(async () => {
  store = join(at.dir, 'artifacts');
  paths = await publishIstio(at.site, version, join(at.dir, 'made-up'));
  const layers = [
    { '/usr/local/bin/pilot-discovery': 'echo old' },
    { '/usr/local/bin/pilot-discovery': 'echo pilot-discovery' },
    { '/etc/other': '' },
  ];
  const image = await imageArchive(`docker.io/istio/pilot:${version}`, layers, join(at.dir, 'pilot'));
  await containerTool('docker', image, at.dir);
  vi.stubEnv('PATH', `${at.dir}:${process.env['PATH'] ?? ''}`);
});

const release = (env: NodeJS.ProcessEnv = {}): IstioRelease =>
  istioRelease(settingsFor(at.site, { ISTIO_VERSION: version, ...env }));

/** All of a release, installed as the artifacts of a lab are. */
async function install(): Promise<{ programs: string; foreign: string; deb: string }> {
  const { archive, packages, images } = release();
  const [istioctl, own, arm64, pilot] = await Promise.all(
    [archive, packages[ownArchitecture], packages.arm64, images.pilot].map(async (one) =>
      made(one, { store }),
    ),
  );
  const deb = packageIn(own ?? '', ownArchitecture);
  const control = { archive: istioctl ?? '', pilot: pilot ?? '' };
  return {
    deb,
    programs: await releasedPrograms(deb, ownArchitecture, control, { store }),
    foreign: await releasedPrograms(packageIn(arm64 ?? '', 'arm64'), 'arm64', undefined, { store }),
  };
}

const asked = async (): Promise<string[]> =>
  (await readFile(join(at.dir, 'asked'), 'utf8')).trim().split('\n');

test('a release comes from the local server: programs, package files and the package itself', async () => {
  const { programs, foreign, deb } = await install();

  expect((await readdir(programs)).sort()).toEqual(
    [
      '.manifest.json',
      'envoy',
      'istioctl',
      'packaging',
      'pilot-agent',
      'pilot-discovery',
      'proxy-build.json',
    ].sort(),
  );
  expect((await readdir(join(programs, 'packaging'))).sort()).toEqual(
    ['envoy_bootstrap.json', 'istio-start.sh', 'istio.service', 'postinst.sh', 'sidecar.env'].sort(),
  );
  for (const program of ['istioctl', 'pilot-discovery', 'pilot-agent']) {
    const said = await run([join(programs, program)]);
    expect(said.stdout).toMatch(new RegExp(`^${program}( for ${ownArchitecture})?\n$`));
  }
  expect((await stat(join(programs, 'packaging/sidecar.env'))).mode & 0o777).toBe(0o644);
  expect(await readFile(join(foreign, 'pilot-agent'), 'utf8')).toContain('pilot-agent for arm64');
  expect(
    (await readFile(deb)).equals(at.site.files.get(paths.packages[ownArchitecture]) ?? Buffer.alloc(0)),
  ).toBe(true);
});

test('a package is fetched from the first of its addresses that has it', async () => {
  const base = settingsFor(at.site).lab.releases.packages[0] ?? '';
  const twice = release({ ISTIO_PACKAGES: `${at.site.address}/elsewhere ${base}` });
  const deb = packageIn(await made(twice.packages.arm64, { store }), 'arm64');
  expect((await readFile(deb)).equals(at.site.files.get(paths.packages.arm64) ?? Buffer.alloc(0))).toBe(true);

  const nowhere = release({ ISTIO_PACKAGES: `${at.site.address}/other ${at.site.address}/nowhere` });
  await expect(made(nowhere.packages.arm64, { store })).rejects.toThrow(
    /other\S+ is not to be had \(HTTP 404\).* \S+nowhere\S+ is not to be had/,
  );
});

test('what was fetched is in the cache, and is not asked for again', async () => {
  const first = await install();
  at.site.asked.length = 0;

  expect(await install()).toEqual(first);
  expect(at.site.asked).toEqual([]);
});

test('an Envoy that takes the filters of Istio is its own build, another is not', async () => {
  expect(isIstioProxyBuild((await install()).programs)).toBe(true);

  await publishIstio(at.site, '1.25.0', join(at.dir, 'stock'), 'exit 1');
  const stock = istioRelease(settingsFor(at.site, { ISTIO_VERSION: '1.25.0' }));
  const deb = packageIn(await made(stock.packages[ownArchitecture], { store }), ownArchitecture);
  expect(isIstioProxyBuild(await releasedPrograms(deb, ownArchitecture, undefined, { store }))).toBe(false);
});

test('an Envoy that cannot run here is taken for the build of a release', async () => {
  const needsNewer = `echo "envoy: libc.so.6: version 'GLIBC_2.99' not found (required by envoy)" >&2; exit 1`;
  await publishIstio(at.site, '1.25.0', join(at.dir, 'newer'), needsNewer);
  const newer = istioRelease(settingsFor(at.site, { ISTIO_VERSION: '1.25.0' }));
  const deb = packageIn(await made(newer.packages[ownArchitecture], { store }), ownArchitecture);
  expect(isIstioProxyBuild(await releasedPrograms(deb, ownArchitecture, undefined, { store }))).toBe(true);
});

const faulty: [string, keyof MadeUp, (Fault | 'on')[], RegExp][] = [
  [
    'an archive that is not there',
    'archive',
    ['absent', 'on'],
    /linux-\w+\.tar\.gz is not to be had \(HTTP 404\)/,
  ],
  ['an archive with another checksum', 'archive', ['damaged', 'on'], /has the SHA-256 \w+, and its checksum/],
  [
    'a package that is not there',
    'packages',
    ['absent', 'on'],
    /istio-sidecar\S*\.deb is not to be had \(HTTP 404\)/,
  ],
  ['a package with another checksum', 'packages', ['damaged', 'on'], /has the SHA-256 \w+, and its checksum/],
];

test.each(faulty)('%s is refused by name, with nothing left', async (_, part, faults, message) => {
  const path = part === 'archive' ? paths.archive : paths.packages[ownArchitecture];
  at.site.faults.set(path, faults);
  const { archive, packages } = release();

  const error = await made(part === 'archive' ? archive : packages[ownArchitecture], { store }).catch(
    (thrown: unknown) => thrown,
  );

  expect(error).toBeInstanceOf(RefusedError);
  expect((error as RefusedError).message).toMatch(message);
  expect(await readdir(store)).toEqual([]);
});

test('a file without a checksum is not fetched', async () => {
  at.site.files.delete(`${paths.archive}.sha256`);

  await expect(made(release().archive, { store })).rejects.toThrow(
    /\.tar\.gz\.sha256 is not to be had \(HTTP 404\), so nothing can be verified that it would verify/,
  );
  expect(at.site.asked).not.toContain(paths.archive);
});

test('an archive that was cut off is resumed', async () => {
  at.site.faults.set(paths.archive, ['cut']);

  await made(release().archive, { store });

  expect(at.site.asked.filter((path) => path.includes(`${paths.archive} bytes=`))).toHaveLength(1);
});

test('a package of another architecture, or of something else, is refused by name', async () => {
  const wrong = at.site.files.get(paths.packages.arm64) ?? Buffer.alloc(0);
  const sum = at.site.files.get(`${paths.packages.arm64}.sha256`)?.toString().slice(0, 64) ?? '';
  at.site.files.set(paths.packages.x64, wrong);
  at.site.files.set(`${paths.packages.x64}.sha256`, Buffer.from(sum));

  await expect(made(release().packages.x64, { store })).rejects.toThrow(
    /istio-sidecar\.deb is a package for arm64, expected one for amd64/,
  );

  const lacking = join(at.dir, 'istio-sidecar.deb');
  await appendFile(lacking, await packageOf('x64', version, '', join(at.dir, 'x'), '/usr/local/bin/envoy'));
  await expect(releasedPrograms(lacking, 'x64', undefined, { store })).rejects.toThrow(
    /istio-sidecar\.deb is no package of Istio's sidecar: it has no \/usr\/local\/bin\/envoy/,
  );
});

test('an image is pulled for this machine, saved under the name that the charts ask for, and removed', async () => {
  const folder = await made(release({ ISTIO_HUB: '127.0.0.1:5000/mirror' }).images.proxyv2, { store });

  expect(basename(archiveOf(folder))).toBe('image.tar');
  const [from, name] = [`127.0.0.1:5000/mirror/proxyv2:${version}`, `docker.io/istio/proxyv2:${version}`];
  expect((await asked()).map((line) => line.replace(/--output \S+/, '--output FILE'))).toEqual([
    `image inspect ${from}`,
    `image inspect ${name}`,
    `pull --platform linux/${ownArchitecture === 'arm64' ? 'arm64' : 'amd64'} ${from}`,
    `tag ${from} ${name}`,
    'save --help',
    `save --platform linux/${debianName(ownArchitecture)} --output FILE ${name}`,
    `rmi ${from}`,
    `rmi ${name}`,
  ]);
  // podman has nothing of it among the user's images at any time, so none can be left there
  const storages = (await readFile(join(at.dir, 'storages'), 'utf8')).trim().split('\n');
  expect(storages).toHaveLength(8);
  expect(storages.every((conf) => conf.startsWith(`${store}/`))).toBe(true);
  expect((await readdir(folder)).sort()).toEqual(['.manifest.json', 'image.tar']);
});

test('an image that cannot be pulled is refused by name', async () => {
  await appendFile(join(at.dir, 'fails'), 'pull\n');

  await expect(made(release().images.pilot, { store })).rejects.toThrow(
    `docker.io/istio/pilot:${version} could not be pulled by docker: Error: pull is refused`,
  );
  expect(await readdir(store)).toEqual([]);
});

test('an image without the program is refused', async () => {
  const image = await imageArchive('docker.io/istio/pilot:x', [{ '/etc/a': '' }], join(at.dir, 'other'));
  await containerTool('docker', image, at.dir);

  await expect(install()).rejects.toThrow(/none of its layers has \/usr\/local\/bin\/pilot-discovery/);
});
