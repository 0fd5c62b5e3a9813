import { copyFile, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { debianName, ownArchitecture } from '#lib/artifacts/architecture.ts';
import { goModule } from '#lib/artifacts/go.ts';
import { buildImage } from '#lib/artifacts/image-build.ts';
import { images, type BuiltImage } from '#lib/artifacts/images.ts';
import { istioPrograms } from '#lib/artifacts/istio.ts';
import type { IstioVersion } from '#lib/artifacts/istio-versions.ts';
import { hashesOf } from '#lib/artifacts/manifest.ts';
import type { ImageIndex } from '#lib/artifacts/oci-layout.ts';
import { istioArchive, istioPackage, type ReleasedFile } from '#lib/artifacts/release/addresses.ts';
import { produce, type Build, type ProduceOptions } from '#lib/artifacts/store.ts';
import type { Run } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { sha256File } from '#lib/base/files.ts';
import { fixture } from '#lib/base/paths.ts';
import { defaults } from '#lib/base/settings.ts';

/** What the modules source built of a version. */
export interface Built {
  /** Folder of pilot-discovery, pilot-agent and istioctl, with packaging/ in it. */
  istio: string;
  /** Folder of envoy. */
  envoy: string;
  /** The sidecar's packages: of this machine's architecture, and for arm64. */
  sidecarPackage: string;
  arm64Package: string;
}

/** A release in a folder. */
export interface LocalRelease {
  /** A folder whose files have the paths of the official sites. */
  site: string;
  /** Name of an image as its registry has it -> folder of an OCI image layout. */
  images: Readonly<Record<string, string>>;
}

/** The paths of the official sites and of the registry, out of the addresses in fixtures/run.env. */
export const officialPaths = (): { istio: string; packages: string; k3s: string; hub: string } => {
  const { ISTIO_RELEASES, ISTIO_PACKAGES, K3S_RELEASES, ISTIO_HUB = '' } = defaults();
  const path = (addresses = ''): string => new URL(addresses.split(' ')[0] ?? '').pathname;
  return {
    ...{ istio: path(ISTIO_RELEASES), packages: path(ISTIO_PACKAGES), k3s: path(K3S_RELEASES) },
    hub: ISTIO_HUB.slice(ISTIO_HUB.indexOf('/') + 1),
  };
};

/** The same as addresses of the release source. */
const officialReleases = (): { istio: string; packages: string[]; k3s: string; hub: string } => {
  const paths = officialPaths();
  return { ...paths, packages: [paths.packages] };
};

/**
 * What the modules source built of Istio, in the shapes of an official release: archive, sidecar packages, images. Its
 * Envoy stays the stock one.
 */
export async function localRelease(
  version: IstioVersion,
  built: Built,
  options?: ProduceOptions,
): Promise<LocalRelease> {
  const sources = [
    ...[built.istio, built.envoy],
    ...[built.sidecarPackage, built.arm64Package].map((file) => dirname(file)),
  ];
  const inputs = {
    // the folders' names carry their keys
    sources: sources.map((folder) => basename(folder)),
    recipes: await hashesOf(fixture('images')),
    method: await sha256File(new URL(import.meta.url).pathname),
  };
  const build: Build = async (dir, note, run) => {
    note('packages');
    await publishPackages(join(dir, 'site'), version, built);
    note('archive');
    const module = await moduleFolder(version, run);
    await publishArchive(join(dir, 'site'), version.version, { istio: built.istio, module }, run);
    for (const name of imageNames) {
      note(`image of ${name}`);
      await layout(version.version, name, built, join(dir, 'images', name), run);
    }
  };
  const title = `Release of Istio ${version.version} out of what was built`;
  const dir = await produce('local-release', inputs, title, 60_000, build, options);
  const { hub } = officialPaths();
  return {
    site: join(dir, 'site'),
    images: Object.fromEntries(imageNames.map((name) => [`${hub}/${name}`, join(dir, 'images', name)])),
  };
}

const imageNames = ['pilot', 'proxyv2'] as const;

/** Lays the two packages where the official site has them, each with its checksum. */
export async function publishPackages(
  site: string,
  { version }: Pick<IstioVersion, 'version'>,
  { sidecarPackage, arm64Package }: Pick<Built, 'sidecarPackage' | 'arm64Package'>,
): Promise<void> {
  const paths = officialReleases();
  const packages = { [ownArchitecture]: sidecarPackage, arm64: arm64Package };
  for (const [architecture, file] of Object.entries(packages)) {
    const released = istioPackage(paths, version, architecture === 'arm64' ? 'arm64' : 'x64');
    await publish(site, released, async (to) => copyFile(file, to));
  }
}

/**
 * Lays the release archive where the official site has it, with its checksum: istioctl, and manifests and samples out of
 * the module.
 */
export async function publishArchive(
  site: string,
  version: string,
  { istio, module }: { istio: string; module: string },
  run: Run,
): Promise<void> {
  const top = `istio-${version}`;
  const scratch = join(site, 'scratch');
  const root = join(scratch, top);
  await mkdir(join(root, 'bin'), { recursive: true });
  await copyFile(join(istio, 'istioctl'), join(root, 'bin/istioctl'));
  // the module cache knows no modes
  const parts = ['manifests', 'samples'].map((name) => join(module, name));
  await run(['cp', '--recursive', '--no-preserve=mode', ...parts, root]);
  await run(['find', root, '-name', '*.sh', '-exec', 'chmod', '755', '{}', '+']);
  await publish(site, istioArchive(officialReleases(), version), async (to) => {
    const words = ['tar', '--create', '--gzip', '--file', to, '--directory', scratch, top];
    await run(words, { within: ours.packing });
  });
  await rm(scratch, { recursive: true });
}

/** Has a file written at its path on the site, and its checksum beside it. */
async function publish(
  site: string,
  { file, url, checksums }: ReleasedFile,
  write: (to: string) => Promise<void>,
): Promise<void> {
  const to = join(site, url);
  await mkdir(dirname(to), { recursive: true });
  await write(to);
  await writeFile(join(site, checksums), `${await sha256File(to)} ${file}\n`);
}

async function moduleFolder(version: IstioVersion, run: Run): Promise<string> {
  const { folder } = istioPrograms(version);
  const path = 'istio.io/istio';
  // a cache of artifacts may be older than that of modules
  await run(['go', 'mod', 'download', path], {
    cwd: fixture(folder),
    env: { GOFLAGS: '-mod=readonly', GOWORK: 'off' },
    within: ours.download,
  });
  return goModule(folder, path, run);
}

/** Builds the image of that name as the modules source does, into an OCI image layout as a registry serves it. */
async function layout(
  version: string,
  name: (typeof imageNames)[number],
  { istio, envoy }: Built,
  dir: string,
  run: Run,
): Promise<void> {
  const found = images(version, { istio, envoy, coredns: '', small: '' }).find(
    (image): image is BuiltImage => 'recipe' in image && image.recipe === name,
  );
  if (!found) throw new Error(`There is no image of ${name}.`);
  await mkdir(dir, { recursive: true });
  const archive = `${dir}.tar`;
  await buildImage(found, archive, `${dir}.scratch`, run);
  await run(['tar', '--extract', '--file', archive, '--directory', dir], { within: ours.packing });
  await rm(archive);
  const index = join(dir, 'index.json');
  const { manifests } = JSON.parse(await readFile(index, 'utf8')) as ImageIndex;
  const platform = { architecture: debianName(ownArchitecture), os: 'linux' as const };
  const served: ImageIndex = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    // whoever pulls names the platform that it wants
    manifests: manifests.map(({ mediaType, digest, size }) => ({ mediaType, digest, size, platform })),
  };
  await writeFile(index, JSON.stringify(served));
}
