import { createHash, randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, vi } from 'vitest';
import { debianName, ownArchitecture, type Architecture } from '#lib/artifacts/architecture.ts';
import { packageFile } from '#lib/artifacts/repack.ts';
import { packageFiles } from '#lib/artifacts/sidecar-package.ts';
import { run } from '#lib/base/command.ts';
import { faultyServer, type FaultyServer } from '#lib/base/faulty-server.ts';
import { settings as readSettings, type Settings } from '#lib/base/settings.ts';
import { temporary } from '#lib/base/temporary.ts';

/** Settings whose downloads are all at a local server. */
export const settingsFor = (site: FaultyServer, env: NodeJS.ProcessEnv = {}): Settings =>
  readSettings({
    ISTIO_RELEASES: `${site.address}/istio/istio/releases/download`,
    ISTIO_PACKAGES: `${site.address}/istio-release/releases`,
    K3S_RELEASES: `${site.address}/k3s-io/k3s/releases/download/`,
    ...env,
  });

/** What a test of the release source stands on. */
export interface Site {
  site: FaultyServer;
  /** A folder that goes with the test. */
  dir: string;
}

/** For a file of tests: each of them has a server and a folder of its own, and is quiet. Read what is returned in a test. */
export function siteForEachTest(): Site {
  const now = {} as Site;
  const undoing: AsyncDisposable[] = [];
  beforeEach(async () => {
    const [site, scratch] = await Promise.all([faultyServer(), temporary()]);
    undoing.push(site, scratch);
    Object.assign(now, { site, dir: scratch.path });
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    vi.unstubAllEnvs();
    for (const one of undoing.splice(0)) await one[Symbol.asyncDispose]();
  });
  return now;
}

/** Puts a file on the server, and its checksum beside it as Istio has it. Returns the path. */
function publish(site: FaultyServer, path: string, content: Buffer): string {
  site.files.set(path, content);
  const name = path.slice(path.lastIndexOf('/') + 1);
  site.files.set(`${path}.sha256`, Buffer.from(`${sha256(content)} ${name}\n`));
  return path;
}

const sha256 = (content: Buffer): string => createHash('sha256').update(content).digest('hex');

/** Where a made-up release of Istio stands on the server. */
export interface MadeUp {
  archive: string;
  packages: Record<Architecture, string>;
}

/**
 * Publishes a release of Istio whose programs only say what they are, with the paths of the real ones.
 *
 * @param envoy the script that stands for Envoy
 * @param dir a folder for what it takes
 */
export async function publishIstio(
  site: FaultyServer,
  version: string,
  dir: string,
  envoy = 'exit 0',
): Promise<MadeUp> {
  const programs = join(dir, `istio-${version}`, 'bin');
  // large enough, and not to be compressed, so that half of it is something
  await script(join(programs, 'istioctl'), `echo istioctl\n# ${randomBytes(200_000).toString('hex')}`);
  const tar = join(dir, 'archive.tar.gz');
  await run(['tar', '--create', '--gzip', '--file', tar, '--directory', dir, `istio-${version}`]);
  const base = `/istio/istio/releases/download/${version}`;
  const own = debianName(ownArchitecture);
  const archive = publish(site, `${base}/istio-${version}-linux-${own}.tar.gz`, await readFile(tar));
  const deb = async (architecture: Architecture): Promise<string> => {
    const content = await packageOf(architecture, version, envoy, join(dir, architecture));
    return publish(site, `/istio-release/releases/${version}/deb/${packageFile(architecture)}`, content);
  };
  return { archive, packages: { x64: await deb('x64'), arm64: await deb('arm64') } };
}

/** A package with the files of the sidecar's, and with its postinst. */
export async function packageOf(
  architecture: Architecture,
  version: string,
  envoy: string,
  dir: string,
  without?: string,
): Promise<Buffer> {
  const root = join(dir, 'root');
  for (const { path, source } of packageFiles.filter((file) => file.path !== without)) {
    await script(join(root, path), source === 'envoy' ? envoy : `echo ${source} for ${architecture}`);
  }
  await script(join(root, 'DEBIAN/postinst'), 'exit 0');
  const fields = [
    'Package: istio-sidecar',
    `Version: ${version}`,
    `Architecture: ${debianName(architecture)}`,
    'Maintainer: istio@istio.io',
    'Description: Istio Sidecar',
    '',
  ];
  await writeFile(join(root, 'DEBIAN/control'), fields.join('\n'));
  await run(['dpkg-deb', '--root-owner-group', '-Znone', '--build', root, join(dir, 'any.deb')]);
  return readFile(join(dir, 'any.deb'));
}

/** An image as `docker save` writes it: a layer for each map of path in the image -> content. */
export async function imageArchive(
  name: string,
  layers: readonly Readonly<Record<string, string>>[],
  dir: string,
): Promise<string> {
  const image = join(dir, 'image');
  for (const [index, files] of layers.entries()) {
    const root = join(dir, `layer-${String(index)}`);
    for (const [path, text] of Object.entries(files)) await script(join(root, path), text);
    await mkdir(join(image, String(index)), { recursive: true });
    const tar = join(image, String(index), 'layer.tar');
    await run(['tar', '--create', '--file', tar, '--directory', root, '.']);
  }
  const manifest = [{ RepoTags: [name], Layers: layers.map((_, index) => `${String(index)}/layer.tar`) }];
  await writeFile(join(image, 'manifest.json'), JSON.stringify(manifest));
  const archive = join(dir, 'image.tar');
  await run(['tar', '--create', '--file', archive, '--directory', image, '.']);
  return archive;
}

/**
 * Writes a program that stands for docker or podman: it notes in <dir>/asked what it is asked to do, in <dir>/storages
 * what says where it keeps its images, has no image, and saves each as the archive. What is named in <dir>/fails it answers with status 1 and that word.
 */
export async function containerTool(name: string, archive: string, dir: string): Promise<void> {
  const lines = [
    `echo "$*" >>${dir}/asked`,
    `[ -z "$CONTAINERS_STORAGE_CONF" ] || echo "$CONTAINERS_STORAGE_CONF" >>${dir}/storages`,
    `if grep -qsx "$1" ${dir}/fails; then echo "Error: $1 is refused" >&2; exit 1; fi`,
    `case "$1" in image) exit 1 ;; save) if [ "$2" = --help ]; then echo --platform; else cp ${archive} "$5"; fi ;; esac`,
  ];
  await script(join(dir, name), lines.join('\n'));
}

/** Publishes a release of k3s for amd64. @param forms of its images, as their file names end */
export function publishK3s(site: FaultyServer, version: string, forms: readonly string[]): string {
  const base = `/k3s-io/k3s/releases/download/${encodeURIComponent(version)}`;
  const names = ['k3s', ...forms.map((form) => `k3s-airgap-images-amd64.${form}`)];
  const lines = names.map((name) => {
    const content = Buffer.alloc(20_000, `${name} `);
    site.files.set(`${base}/${name}`, content);
    return `${sha256(content)}  ${name}\n`;
  });
  site.files.set(`${base}/sha256sum-amd64.txt`, Buffer.from(lines.join('')));
  return base;
}

async function script(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${text}\n`);
  await chmod(path, 0o755);
}
