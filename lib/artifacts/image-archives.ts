import { copyFile, link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Run } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { sha256File } from '#lib/base/files.ts';
import { cacheDir, fixture } from '#lib/base/paths.ts';
import { buildImage } from './image-build.ts';
import type { Image } from './images.ts';
import { hashesOf } from './manifest.ts';
import { produce, type Build, type ProduceOptions } from './store.ts';

/**
 * The images as archives that a container runtime imports by itself, each under its own name: `<i>.tar`.
 *
 * @returns the folder of the archives
 */
export async function imageArchives(images: readonly Image[], place: ProduceOptions = {}): Promise<string> {
  const own = ['image-archives.ts', 'image-build.ts', 'tree.ts'].map(async (file) =>
    sha256File(new URL(file, import.meta.url).pathname),
  );
  const inputs = {
    // the same images have the same key wherever the cache is
    images: JSON.stringify(images).replaceAll(`${cacheDir()}/`, ''),
    recipes: await hashesOf(fixture('images')),
    method: await Promise.all(own),
  };
  const build: Build = async (dir, note, run) => {
    for (const [index, image] of images.entries()) {
      note(`image ${String(index + 1)} of ${String(images.length)}, ${image.name}`);
      const to = join(dir, `${String(index)}.tar`);
      if ('archive' in image) await link(image.archive, to).catch(async () => copyFile(image.archive, to));
      else {
        await buildImage(image, to, join(dir, 'scratch'), run);
        await nameInside(to, image.name, join(dir, 'scratch'), run);
      }
    }
  };
  const title = `Container images (${String(images.length)}) as archives`;
  return produce('image-archives', inputs, title, 30_000, build, place);
}

/** The annotation that containerd takes the whole name of an image from; the archive's own has its tag alone. */
const named = 'io.containerd.image.name';

/** Writes into an OCI archive what its only image is called. */
export async function nameInside(archive: string, name: string, scratch: string, run: Run): Promise<void> {
  await mkdir(scratch, { recursive: true });
  await run(['tar', '--extract', '--file', archive, '--directory', scratch], { within: ours.packing });
  const file = join(scratch, 'index.json');
  const index = JSON.parse(await readFile(file, 'utf8')) as { manifests: { annotations?: object }[] };
  for (const one of index.manifests) one.annotations = { ...one.annotations, [named]: name };
  await writeFile(file, JSON.stringify(index));
  await run(['tar', '--create', '--file', archive, '--directory', scratch, '.'], { within: ours.packing });
  await rm(scratch, { recursive: true });
}
