import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Run } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { fixture } from '#lib/base/paths.ts';
import type { BuiltImage } from './images.ts';
import { plantTree } from './tree.ts';

/**
 * Builds an image into an OCI archive with buildah, in a storage of its own below `scratch` that is removed again.
 * The archive's tag is that of the image's name.
 */
export async function buildImage(
  image: BuiltImage,
  archive: string,
  scratch: string,
  run: Run,
): Promise<void> {
  const { name, recipe, tree, args = {} } = image;
  const context = join(scratch, 'context');
  await mkdir(join(context, 'root'), { recursive: true });
  await plantTree(join(context, 'root'), tree, run);
  const storage = [
    '--root',
    join(scratch, 'storage'),
    '--runroot',
    join(scratch, 'run'),
    '--storage-driver',
    'vfs',
  ];
  const settings = Object.entries(args).map(([key, value]) => `--build-arg=${key}=${value}`);
  // straight into an archive, and uncompressed: nothing is gained by packing what is unpacked a moment later
  const tag = `oci-archive:${archive}:${name.slice(name.lastIndexOf(':') + 1)}`;
  const plain = ['--isolation', 'chroot', '--timestamp', '0', '--disable-compression=true', '--pull-never'];
  const file = ['--file', fixture('images', recipe, 'Containerfile'), '--tag', tag];
  const words = ['buildah', ...storage, 'build', ...plain, ...settings, ...file, context];
  await run(words, { within: ours.imageStep, env: { TMPDIR: scratch } });
  await rm(scratch, { recursive: true, force: true });
}
