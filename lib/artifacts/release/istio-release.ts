import { chmod, copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { debianName, ownArchitecture, type Architecture } from '#lib/artifacts/architecture.ts';
import { debField, unpackDeb } from '#lib/artifacts/deb.ts';
import { packageFile } from '#lib/artifacts/repack.ts';
import { packageFiles } from '#lib/artifacts/sidecar-package.ts';
import { made, type ProduceOptions, type Product } from '#lib/artifacts/store.ts';
import type { Run } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { RefusedError } from '#lib/base/errors.ts';
import { exists, readJson, sha256File } from '#lib/base/files.ts';
import type { Settings } from '#lib/base/settings.ts';
import { say } from '#lib/base/progress.ts';
import { istioArchive, istioPackage } from './addresses.ts';
import { fetched } from './fetched.ts';
import { hasIstioFilters } from './proxy-build.ts';
import { archiveOf, pulledImage, takeFile } from './pulled-image.ts';

/** What is downloaded of a release of Istio: each is an artifact, verified when it was fetched. */
export interface IstioRelease {
  version: string;
  /** istioctl, out of the release archive. */
  archive: Product;
  /** The sidecar's Debian package, as it is. */
  packages: Readonly<Record<Architecture, Product>>;
  /** The images that the charts ask for. */
  images: Readonly<Record<'pilot' | 'proxyv2', Product>>;
}

/** The downloads of the version that the settings name; nothing is fetched yet. */
export function istioRelease(settings: Settings): IstioRelease {
  const { istioVersion: version, containerTool: tool, lab } = settings;
  const { releases } = lab;
  const image = (name: string): Product =>
    pulledImage({
      tool,
      from: `${releases.hub}/${name}:${version}`,
      name: `docker.io/istio/${name}:${version}`,
    });
  const sidecar = (architecture: Architecture): Product => sidecarPackage(releases, version, architecture);
  return {
    version,
    archive: istioctl(releases, version),
    packages: { x64: sidecar('x64'), arm64: sidecar('arm64') },
    images: { pilot: image('pilot'), proxyv2: image('proxyv2') },
  };
}

/** The architectures that the sidecar's package is needed for: a lab has machines of its host's, and of arm64. */
export const packaged: readonly Architecture[] = [...new Set<Architecture>([ownArchitecture, 'arm64'])];

/** Each of the downloads that a lab takes, once. */
export const downloadsOf = ({ archive, packages, images }: IstioRelease): Product[] => [
  archive,
  ...packaged.map((architecture) => packages[architecture]),
  ...Object.values(images),
];

function istioctl(releases: Settings['lab']['releases'], version: string): Product {
  const released = istioArchive(releases, version);
  return {
    name: 'istio-archive',
    inputs: { url: released.url },
    title: `Release archive of Istio ${version}`,
    expectedMs: 15_000,
    build: async (dir, note, run, signal) => {
      const archive = join(dir, released.file);
      await fetched(released, archive, { note, signal });
      const one = ['--strip-components=2', `istio-${version}/bin/istioctl`];
      await run(['tar', '-xzf', archive, '-C', dir, ...one], {
        within: ours.packing,
      });
      await rm(archive);
    },
  };
}

function sidecarPackage(
  releases: Settings['lab']['releases'],
  version: string,
  architecture: Architecture,
): Product {
  const released = istioPackage(releases, version, architecture);
  return {
    name: 'istio-sidecar-release',
    inputs: { url: released.url },
    title: `Sidecar package of Istio ${version} for ${debianName(architecture)}`,
    expectedMs: 15_000,
    build: async (dir, note, run, signal) => {
      const file = join(dir, released.file);
      await fetched(released, file, { note, signal });
      const given = await debField(file, 'Architecture', run);
      if (given === debianName(architecture)) return;
      throw new RefusedError(
        `${released.url} is a package for ${given}, expected one for ${debianName(architecture)}.`,
      );
    },
  };
}

/** The sidecar's package of a download. */
export const packageIn = (folder: string, architecture: Architecture): string =>
  join(folder, packageFile(architecture));

/** What a folder of programs says of its Envoy. */
const buildFile = 'proxy-build.json';

/** Whether the Envoy of a folder of programs is Istio's own build, as it was seen when the folder was made. */
export const isIstioProxyBuild = (programs: string): boolean =>
  readJson<{ istioFilters: boolean }>(join(programs, buildFile))?.istioFilters === true;

/**
 * The programs of a release in one folder, as the modules source has them in two: pilot-agent, envoy and packaging/ out
 * of the sidecar's package and, with `control`, istioctl and pilot-discovery.
 *
 * @param sidecar the sidecar's package for `architecture`
 * @param control folders of the downloaded archive and the pulled image of pilot
 * @throws RefusedError when the package or the image lacks one of them
 */
export async function releasedPrograms(
  sidecar: string,
  architecture: Architecture,
  control: { archive: string; pilot: string } | undefined,
  place: ProduceOptions = {},
): Promise<string> {
  // the folders' names carry their keys
  const sources = [dirname(sidecar), ...Object.values(control ?? {})].map((folder) => basename(folder));
  const recipe = await Promise.all(['istio-release.ts', 'proxy-build.ts'].map(own));
  const product: Product = {
    name: `istio-release-${debianName(architecture)}`,
    inputs: { sources, recipe },
    title: `Programs of the release of Istio for ${debianName(architecture)}`,
    expectedMs: 10_000,
    build: async (dir, _note, run) => {
      await unpack(sidecar, dir, run);
      if (architecture === ownArchitecture) {
        const seen = await hasIstioFilters(join(dir, 'envoy'), run);
        if (seen === undefined)
          say(
            `The Envoy of ${basename(sidecar)} cannot run on this host, so it was not seen whose build it is; a release has Istio's own, and it is taken for that.`,
          );
        await writeFile(join(dir, buildFile), JSON.stringify({ istioFilters: seen ?? true }));
      }
      if (!control) return;
      await copyFile(join(control.archive, 'istioctl'), join(dir, 'istioctl'));
      await takeFile(
        archiveOf(control.pilot),
        '/usr/local/bin/pilot-discovery',
        join(dir, 'pilot-discovery'),
        run,
      );
      for (const program of ['istioctl', 'pilot-discovery']) await chmod(join(dir, program), 0o755);
    },
  };
  return made(product, place);
}

const own = async (file: string): Promise<string> => sha256File(new URL(file, import.meta.url).pathname);

/** Puts the files of a sidecar's package where the package of the modules source is made from. */
async function unpack(sidecar: string, dir: string, run: Run): Promise<void> {
  const root = join(dir, 'root');
  await unpackDeb(sidecar, 'data', root, run);
  await unpackDeb(sidecar, 'control', join(root, 'DEBIAN'), run);
  await mkdir(join(dir, 'packaging'));
  const script = { path: '/DEBIAN/postinst', source: 'packaging/postinst.sh', mode: 0o755 };
  for (const { path, source, mode } of [...packageFiles, script]) {
    if (!exists(join(root, path)))
      throw new RefusedError(`${basename(sidecar)} is no package of Istio's sidecar: it has no ${path}.`);
    await copyFile(join(root, path), join(dir, source));
    await chmod(join(dir, source), mode);
  }
  await rm(root, { recursive: true });
}
