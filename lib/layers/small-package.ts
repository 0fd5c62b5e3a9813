import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Architecture } from '#lib/artifacts/architecture.ts';
import { repack } from '#lib/artifacts/repack.ts';
import { run } from '#lib/base/command.ts';
import { patchedPrograms } from './arm64-patches.ts';
import type { Lab } from './lab.ts';

/**
 * The sidecar's package with a line of text in place of each of its programs, which are most of it: dpkg treats it as
 * it treats the whole one.
 *
 * @returns the path of istio-sidecar.deb (or istio-sidecar-arm64.deb) in the lab's folder
 */
export async function smallPackage(
  { dir, programs }: Pick<Lab, 'dir' | 'programs'>,
  architecture: Architecture,
): Promise<string> {
  const into = join(dir, `package-${architecture}`);
  await rm(into, { recursive: true, force: true });
  await mkdir(into, { recursive: true });
  const text = join(into, 'text');
  await writeFile(text, 'left out\n');
  const small = Object.fromEntries(patchedPrograms.map((path) => [path, text]));
  return repack(programs.sidecarPackage, { architecture, programs: small }, into, run);
}
