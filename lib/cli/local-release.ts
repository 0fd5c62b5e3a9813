import { readdir, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { ownArchitecture } from '#lib/artifacts/architecture.ts';
import { hostPackages } from '#lib/artifacts/host-packages.ts';
import { istioVersion } from '#lib/artifacts/istio-versions.ts';
import { builtMesh, meshParts } from '#lib/artifacts/mesh.ts';
import type { Place } from '#lib/artifacts/store.ts';
import { interactive } from '#lib/base/command.ts';
import { messageOf, RefusedError } from '#lib/base/errors.ts';
import { faults, faultyServer, type Fault, type FaultyServer } from '#lib/base/faulty-server.ts';
import { endWithNpm } from '#lib/base/parent.ts';
import { cacheDir } from '#lib/base/paths.ts';
import { say } from '#lib/base/progress.ts';
import { settings as readSettings } from '#lib/base/settings.ts';
import { temporary } from '#lib/base/temporary.ts';
import { servingImages } from '#lib/layers/image-registry.ts';
import { localRelease, officialPaths, type LocalRelease } from './local-release/pack.ts';
import { ownCache } from './local-release/own-cache.ts';

const usage = `npm run local-release -- [--fault=<how>:<file>]… <command> [<words>…]
  runs a command with the release source at a local server and registry, which have what the modules source built of
  ISTIO_VERSION under the paths of the official sites; nothing that is downloaded stays in the cache.
  --fault=damaged:istio-sidecar.deb lets a file of it go wrong, in one of these ways:
${Object.entries(faults)
  .map(([name, what]) => `    ${name}: ${what}\n`)
  .join('')}`;

/** Sees to it that a file goes wrong whenever it is asked for. */
async function told(site: FaultyServer, folder: string, fault: string): Promise<void> {
  const [, how = '', file = ''] = /^--fault=([a-z]+):(.+)$/.exec(fault) ?? [];
  const all = await readdir(folder, { recursive: true, withFileTypes: true });
  const path = all
    .filter((one) => one.isFile() && one.name === file)
    .map((one) => relative(folder, join(one.parentPath, one.name)))[0];
  if (!(how in faults)) throw new RefusedError(usage);
  if (path === undefined) {
    const names = all.filter((one) => one.isFile()).map((one) => one.name);
    throw new RefusedError(`The local release has no file ${file}; it has ${names.join(', ')}.`);
  }
  site.faults.set(`/${path}`, [how as Fault, 'on']);
}

async function built(): Promise<LocalRelease> {
  const version = istioVersion(readSettings().istioVersion);
  await hostPackages(ownArchitecture);
  const place = (i: number): Place => ({ i, n: meshParts + 1 });
  const mesh = builtMesh(version, place);
  await Promise.all(mesh.all);
  const { istio, envoy, sidecarPackage, arm64 } = mesh;
  const parts = { istio: await istio, envoy: await envoy, sidecarPackage: await sidecarPackage };
  return localRelease(
    version,
    { ...parts, arm64Package: (await arm64).sidecarPackage },
    place(meshParts + 1),
  );
}

async function withRelease(words: readonly string[]): Promise<number> {
  const wrong = words.filter((word) => word.startsWith('--fault='));
  const command = words.slice(wrong.length);
  if (command.length === 0 || command[0]?.startsWith('--')) throw new RefusedError(usage);
  const release = await built();
  await using site = await faultyServer(release.site);
  for (const fault of wrong) await told(site, release.site, fault);
  await using registry = await servingImages(release.images);
  await using folder = await temporary();
  const cache = await ownCache(cacheDir());
  const registries = join(folder.path, 'registries.conf');
  // podman asks each registry for TLS unless told, docker none on loopback
  await writeFile(registries, `[[registry]]\nlocation = "${registry.address}"\ninsecure = true\n`);
  const paths = officialPaths();
  Object.assign(process.env, {
    ISTIO_RELEASES: site.address + paths.istio,
    ISTIO_PACKAGES: site.address + paths.packages,
    K3S_RELEASES: site.address + paths.k3s,
    ISTIO_HUB: `${registry.address}/${paths.hub}`,
    CONTAINER_TOOL: process.env['CONTAINER_TOOL'] ?? 'podman',
    CONTAINERS_REGISTRIES_CONF: registries,
    LAB_CACHE: cache.path,
  });
  say(`The local release is at ${site.address} and ${registry.address}`);
  try {
    return await interactive(command);
  } finally {
    const labs = await cache.end();
    if (labs.length > 0) say(`Lab ${labs.join(', ')} stands on ${cache.path}, which is kept for it.`);
    say(`The local release was asked for: ${[...new Set(site.asked)].join(', ') || 'nothing'}`);
  }
}

try {
  endWithNpm();
  process.exitCode = await withRelease(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = error instanceof RefusedError ? 2 : 1;
}
