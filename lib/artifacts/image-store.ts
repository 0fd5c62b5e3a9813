import { copyFile, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run as runHere, type Run } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { sha256File } from '#lib/base/files.ts';
import { cacheDir, fixture } from '#lib/base/paths.ts';
import { containerdConfig, containerdOf, type Containerd } from './containerd.ts';
import { buildImage } from './image-build.ts';
import type { Image } from './images.ts';
import { hashesOf } from './manifest.ts';
import { produce, type Build, type Note, type Place } from './store.ts';

const own = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const script = own('image-store.sh');

/** A tmpfs while the store is filled; sockets may not have long paths. */
const socket = '/run/containerd.sock';

/** What containerd writes to while it runs; everything else it only adds to or removes. */
const databases = [
  'io.containerd.metadata.v1.bolt/meta.db',
  'io.containerd.snapshotter.v1.overlayfs/metadata.db',
];

/**
 * A containerd root in which the images are imported and unpacked, by this host's containerd: what a newer one wrote an
 * older one need not read.
 *
 * @returns the folder of the artifact, for `cloneImageStore`
 * @throws RefusedError as `containerdOf` does
 */
export async function imageStore(images: readonly Image[], place: Place = {}): Promise<string> {
  const recipes = await hashesOf(fixture('images'));
  // the same images have the same key wherever the cache is
  const named = JSON.stringify(images).replaceAll(`${cacheDir()}/`, '');
  const containerd = await containerdOf(runHere);
  const method = await Promise.all(
    [script, ...['containerd.ts', 'image-build.ts', 'tree.ts'].map(own)].map(sha256File),
  );
  const series = containerd.version.split('.').slice(0, 2).join('.');
  const inputs = { images: named, recipes, method, containerd: series };
  const title = `Container images (${String(images.length)}), unpacked for containerd`;
  const build: Build = async (dir, note, run) => fillStore(images, containerd, dir, note, run);
  return produce('image-store', inputs, title, 30_000, build, { ...place, hardLinked: true });
}

/** Builds each image that was not pulled and imports all of them into a containerd root at <dir>/root. */
async function fillStore(
  images: readonly Image[],
  containerd: Containerd,
  dir: string,
  note: Note,
  run: Run,
): Promise<void> {
  const scratch = join(dir, 'scratch');
  const archives: string[] = [];
  for (const [index, image] of images.entries()) {
    note(`image ${String(index + 1)} of ${String(images.length)}, ${image.name}`);
    const built = join(scratch, `${String(index)}.tar`);
    if (!('archive' in image)) await buildImage(image, built, join(scratch, 'image'), run);
    archives.push(`${image.name}=${'archive' in image ? image.archive : built}`);
  }
  const [root, config] = [join(dir, 'root'), join(scratch, 'config.toml')];
  const places = { root, state: '/run/state', socket, cni: '/run/cni' };
  await mkdir(scratch, { recursive: true });
  await writeFile(config, containerdConfig(containerd, places));
  const words = ['bash', script, config, socket, root, ...archives];
  await run(words, { within: ours.imageStep, onLine: note });
  await rm(scratch, { recursive: true, force: true });
}

/**
 * Gives a node a containerd root of its own in a moment: files are hard links, only the databases are copies.
 *
 * @param store what `imageStore` returned
 * @param target the folder to be, on the same file system as the store
 */
export async function cloneImageStore(store: string, target: string, run: Run = runHere): Promise<void> {
  await mkdir(target, { recursive: true });
  await run(['cp', '--archive', '--link', `${join(store, 'root')}/.`, target]);
  for (const database of databases) {
    await rm(join(target, database));
    await copyFile(join(store, 'root', database), join(target, database));
  }
}
