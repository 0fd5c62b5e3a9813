import { createHash } from 'node:crypto';
import { chmod, copyFile, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Run } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { sha256File } from '#lib/base/files.ts';
import { debianName, type Architecture } from './architecture.ts';

/** An image for one architecture: its only layer, and what a container of it would run. */
export interface PlatformImage {
  architecture: Architecture;
  /** Path in the image -> file on this host; all of them are programs. */
  files: Readonly<Record<string, string>>;
  entrypoint: readonly string[];
}

export interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
  platform?: { architecture: string; os: 'linux' };
}

/** The index of an image that is there for several architectures, in `index.json` of its folder. */
export interface ImageIndex {
  schemaVersion: 2;
  mediaType: string;
  manifests: Descriptor[];
}

const type = (name: string): string => `application/vnd.oci.image.${name}`;

/**
 * Writes an image for several architectures into `dir`, as an OCI image layout; nothing of it is run or compressed.
 * The same files give the same image.
 */
export async function writeLayout(dir: string, images: readonly PlatformImage[], run: Run): Promise<void> {
  await mkdir(join(dir, 'blobs/sha256'), { recursive: true });
  const manifests: Descriptor[] = [];
  for (const image of images) {
    const platform = { architecture: debianName(image.architecture), os: 'linux' } as const;
    manifests.push({ ...(await writeImage(dir, image, run)), platform });
  }
  const index: ImageIndex = { schemaVersion: 2, mediaType: type('index.v1+json'), manifests };
  await writeFile(join(dir, 'index.json'), JSON.stringify(index));
  await writeFile(join(dir, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
}

async function writeImage(dir: string, image: PlatformImage, run: Run): Promise<Descriptor> {
  const layer = await writeLayer(dir, image.files, run);
  const config = await writeJson(dir, type('config.v1+json'), {
    architecture: debianName(image.architecture),
    os: 'linux',
    config: { Entrypoint: image.entrypoint },
    rootfs: { type: 'layers', diff_ids: [layer.digest] },
  });
  const mediaType = type('manifest.v1+json');
  return writeJson(dir, mediaType, { schemaVersion: 2, mediaType, config, layers: [layer] });
}

async function writeLayer(dir: string, files: PlatformImage['files'], run: Run): Promise<Descriptor> {
  const [root, tar] = [join(dir, 'root'), join(dir, 'layer.tar')];
  for (const [path, source] of Object.entries(files)) {
    const target = join(root, path);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(source, target);
    await chmod(target, 0o755);
  }
  const same = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--mode=755'];
  await run(['tar', '--create', ...same, '--file', tar, '--directory', root, '.'], { within: ours.packing });
  await rm(root, { recursive: true });
  const [hash, { size }] = [await sha256File(tar), await stat(tar)];
  await rename(tar, join(dir, 'blobs/sha256', hash));
  return { mediaType: type('layer.v1.tar'), digest: `sha256:${hash}`, size };
}

async function writeJson(dir: string, mediaType: string, content: object): Promise<Descriptor> {
  const text = JSON.stringify(content);
  const hash = createHash('sha256').update(text).digest('hex');
  await writeFile(join(dir, 'blobs/sha256', hash), text);
  return { mediaType, digest: `sha256:${hash}`, size: Buffer.byteLength(text) };
}
