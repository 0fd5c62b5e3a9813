import { chmod, copyFile, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Run } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { sha256File } from '#lib/base/files.ts';
import { debianName, type Architecture } from './architecture.ts';
import { produce, type Build, type Place } from './store.ts';

/** What a package is made into. */
export interface Repacking {
  architecture: Architecture;
  /** Path in the package -> the file of this host that takes its place. */
  programs: Readonly<Record<string, string>>;
}

/** As Istio's release builder names them: only architectures other than amd64 are named. */
export const packageFile = (architecture: Architecture): string =>
  architecture === 'x64' ? 'istio-sidecar.deb' : `istio-sidecar-${debianName(architecture)}.deb`;

/**
 * The sidecar's package for another architecture: what differs are the two programs and the field Architecture.
 *
 * @param own the package of this machine's architecture
 * @param agent folder of pilot-agent
 * @returns the path of istio-sidecar-arm64.deb
 */
export async function foreignPackage(
  own: string,
  { agent, envoy, architecture }: { agent: string; envoy: string; architecture: Architecture },
  place?: Place,
): Promise<string> {
  const programs = {
    '/usr/local/bin/envoy': join(envoy, 'envoy'),
    '/usr/local/bin/pilot-agent': join(agent, 'pilot-agent'),
  };
  // the folders' names carry their keys
  const sources = [basename(join(own, '..')), basename(agent), basename(envoy)];
  const inputs = { sources, architecture, recipe: await sha256File(new URL(import.meta.url).pathname) };
  const build: Build = async (dir, _, run) => {
    await repack(own, { architecture, programs }, dir, run);
  };
  const title = `Sidecar package for ${debianName(architecture)}`;
  const folder = await produce(
    `istio-sidecar-${debianName(architecture)}`,
    inputs,
    title,
    5000,
    build,
    place,
  );
  return join(folder, packageFile(architecture));
}

/** Makes another package out of a sidecar's package, in `dir`; its scripts and other files stay. Returns its path. */
export async function repack(
  own: string,
  { architecture, programs }: Repacking,
  dir: string,
  run: Run,
): Promise<string> {
  const [root, file] = [join(dir, 'root'), join(dir, packageFile(architecture))];
  await run(['dpkg-deb', '--raw-extract', own, root], { within: ours.packing });
  const control = join(root, 'DEBIAN/control');
  let text = await readFile(control, 'utf8');
  let kibibytes = Number(/^Installed-Size: (\d+)$/m.exec(text)?.[1] ?? 0);
  for (const [path, source] of Object.entries(programs)) {
    const target = join(root, path);
    const before = (await stat(target)).size;
    await copyFile(source, target);
    await chmod(target, 0o755);
    kibibytes += Math.ceil(((await stat(target)).size - before) / 1024);
  }
  text = text.replace(/^Architecture: .*$/m, `Architecture: ${debianName(architecture)}`);
  await writeFile(control, text.replace(/^Installed-Size: .*$/m, `Installed-Size: ${String(kibibytes)}`));
  await run(['dpkg-deb', '--root-owner-group', '-Znone', '--build', root, file], { within: ours.packing });
  await rm(root, { recursive: true });
  return file;
}
