import { chmod, copyFile, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Run } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { sha256File } from '#lib/base/files.ts';
import type { IstioVersion } from './istio-versions.ts';
import { produce, type Build, type Place } from './store.ts';

interface Sources {
  /** Folder of Istio's programs, with packaging/ in it. */
  istio: string;
  /** Folder of Envoy. */
  envoy: string;
}

const file = 'istio-sidecar.deb';

/** Where tools/packaging/packaging.mk of Istio puts what; the same in each version that there is. */
export const packageFiles: readonly { path: string; from: keyof Sources; source: string; mode: number }[] = [
  { path: '/usr/local/bin/envoy', from: 'envoy', source: 'envoy', mode: 0o755 },
  { path: '/usr/local/bin/pilot-agent', from: 'istio', source: 'pilot-agent', mode: 0o755 },
  { path: '/usr/local/bin/istio-start.sh', from: 'istio', source: 'packaging/istio-start.sh', mode: 0o755 },
  {
    path: '/lib/systemd/system/istio.service',
    from: 'istio',
    source: 'packaging/istio.service',
    mode: 0o644,
  },
  { path: '/var/lib/istio/envoy/sidecar.env', from: 'istio', source: 'packaging/sidecar.env', mode: 0o644 },
  {
    path: '/var/lib/istio/envoy/envoy_bootstrap_tmpl.json',
    from: 'istio',
    source: 'packaging/envoy_bootstrap.json',
    mode: 0o644,
  },
];

const configuration = ['/var/lib/istio/envoy/envoy_bootstrap_tmpl.json', '/var/lib/istio/envoy/sidecar.env'];

/**
 * Assembles the sidecar's Debian package.
 *
 * @param istio folder of Istio's programs
 * @param envoy folder of Envoy
 * @returns the path of istio-sidecar.deb
 */
export async function sidecarPackage(
  version: IstioVersion,
  istio: string,
  envoy: string,
  place?: Place,
): Promise<string> {
  // their folders' names carry their keys
  const from = { istio: basename(istio), envoy: basename(envoy), version: version.package };
  const inputs = {
    ...from,
    recipe: await sha256File(new URL(import.meta.url).pathname),
    arch: debianArchitecture(),
  };
  const title = `Sidecar package of Istio ${version.version}`;
  const build: Build = async (dir, _, run) => packDeb(version.package, { istio, envoy }, dir, run);
  return join(await produce('istio-sidecar', inputs, title, 5000, build, place), file);
}

/** Writes <dir>/istio-sidecar.deb. It is not compressed: the VM is emulated, and unpacking would cost more than reading. */
export async function packDeb(version: string, sources: Sources, dir: string, run: Run): Promise<void> {
  const root = join(dir, 'root');
  let bytes = 0;
  for (const { path, from, source, mode } of packageFiles) {
    const target = join(root, path);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(join(sources[from], source), target);
    await chmod(target, mode);
    bytes += (await stat(target)).size;
  }
  await mkdir(join(root, 'DEBIAN'));
  await writeFile(join(root, 'DEBIAN/control'), control(version, Math.ceil(bytes / 1024)));
  await writeFile(join(root, 'DEBIAN/conffiles'), `${configuration.join('\n')}\n`);
  await copyFile(join(sources.istio, 'packaging/postinst.sh'), join(root, 'DEBIAN/postinst'));
  await chmod(join(root, 'DEBIAN/postinst'), 0o755);
  const words = ['dpkg-deb', '--root-owner-group', '-Znone', '--build', root, join(dir, file)];
  await run(words, { within: ours.packing });
  await rm(root, { recursive: true });
}

/** The control file with the fields that packaging.mk gives to its packager. */
export function control(version: string, installedKiB: number): string {
  return [
    'Package: istio-sidecar',
    `Version: ${version}`,
    'License: Apache',
    'Vendor: istio.io',
    `Architecture: ${debianArchitecture()}`,
    'Maintainer: istio@istio.io',
    `Installed-Size: ${String(installedKiB)}`,
    'Depends: iproute2, iptables, sudo, hostname',
    'Section: default',
    'Priority: optional',
    'Homepage: http://istio.io',
    'Description: Istio Sidecar',
    '',
  ].join('\n');
}

const debianArchitecture = (): string => (process.arch === 'arm64' ? 'arm64' : 'amd64');
