import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run as runHere, type Run } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import type { Lab } from './lab.ts';

/** The programs of the sidecar that differ from one architecture to another. */
export const patchedPrograms = ['/usr/local/bin/envoy', '/usr/local/bin/pilot-agent'] as const;

/** The folder of the exported file system; with it the bootstrap takes the programs from there. */
export const patchesFolder = ({ dir, settings }: Pick<Lab, 'dir' | 'settings'>): string =>
  join(dir, `istio-proxy-${settings.istioVersion}-arm64`);

export interface PatchOptions {
  /** The container tool; what CONTAINER_TOOL says unless told. */
  tool?: string;
  /** Runs the tool. */
  run?: Run;
  /** The words after the tool that create the container. */
  create?: (name: string, image: string) => readonly string[];
  /** Called when the container is there, with its name. */
  created?: (name: string) => Promise<void>;
}

/**
 * install.arm64.binary.patches.sh: takes the file system out of the proxy's image for linux/arm64. The container is
 * only created, and removed again. The platform stands before the image's name: behind it, where the articles have it,
 * it would be the command that the container runs.
 *
 * @returns the folder of the file system
 */
export async function takePatches(
  lab: Pick<Lab, 'dir' | 'settings'>,
  options: PatchOptions = {},
): Promise<string> {
  const { istioVersion, istioRevision, containerTool } = lab.settings;
  const { tool = containerTool, run = runHere, create = forArm64, created } = options;
  const name = `istio-export-${istioRevision}`;
  const folder = patchesFolder(lab);
  const archive = `${folder}.tar`;
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const words = create(name, `docker.io/istio/proxyv2:${istioVersion}`);
  await run([tool, ...words], { within: ours.packing });
  try {
    await created?.(name);
    await run([tool, 'export', '--output', archive, name], { within: ours.packing });
    await runHere(['tar', '--extract', '--file', archive, '--directory', folder], { within: ours.packing });
  } finally {
    await run([tool, 'rm', name]);
    await rm(archive, { force: true });
  }
  return folder;
}

const forArm64 = (name: string, image: string): string[] => [
  ...['create', `--name=${name}`, '--platform', 'linux/arm64', image],
];
