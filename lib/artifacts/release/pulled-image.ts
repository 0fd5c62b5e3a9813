import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { debianName, ownArchitecture } from '#lib/artifacts/architecture.ts';
import type { Product } from '#lib/artifacts/store.ts';
import { CommandError, type Run } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { messageOf, RefusedError } from '#lib/base/errors.ts';

/** The archive, as `docker save` writes it, in the folder of a pulled image. */
export const archiveOf = (folder: string): string => join(folder, 'image.tar');

export interface Pull {
  /** docker or podman. */
  tool: string;
  /** Where it is pulled from, with its tag. */
  from: string;
  /** The name that it gets in the archive, with its tag. */
  name: string;
}

/** An image of this machine's architecture, pulled by a container tool into an archive; the tool keeps nothing of it. */
export function pulledImage({ tool, from, name }: Pull): Product {
  const architecture = debianName(ownArchitecture);
  return {
    name: `image-${name.slice(name.lastIndexOf('/') + 1, name.lastIndexOf(':'))}`,
    inputs: { from, name, architecture },
    title: `Image ${from} by ${tool}`,
    expectedMs: 60_000,
    build: async (dir, note, runHere) => {
      const env = await ownStorage(join(dir, 'storage'));
      const run: Run = async (words, options) => runHere(words, { ...options, env });
      const [hadSource, hadName] = [await has(tool, from, run), await has(tool, name, run)];
      try {
        await pull([tool, 'pull', '--platform', `linux/${architecture}`, from], run, note);
        if (from !== name) await run([tool, 'tag', from, name]);
        const platform = await onePlatform(tool, architecture, run);
        const save = [tool, 'save', ...platform, '--output', archiveOf(dir), name];
        await run(save, { within: ours.imageStep });
      } finally {
        // what the user had stays
        const ours = [...new Set([...(hadSource ? [] : [from]), ...(hadName ? [] : [name])])];
        for (const image of ours) await run([tool, 'rmi', image]).catch(() => undefined);
        await rm(join(dir, 'storage'), { recursive: true, force: true });
      }
    },
  };
}

/**
 * Words that leave other platforms out of an archive, for a tool that knows them: a Docker with containerd's store (the
 * default from 29 on) lists those of the image that it did not pull, too, and who imports all platforms lacks them.
 */
async function onePlatform(tool: string, architecture: string, run: Run): Promise<string[]> {
  const { stdout } = await run([tool, 'save', '--help']);
  return stdout.includes('--platform') ? ['--platform', `linux/${architecture}`] : [];
}

/**
 * Gives podman a place of its own for images and what is half pulled: a pull that is called off has no time to clean up
 * after itself. The images of docker are with its engine, which does that.
 *
 * @returns the environment with which podman keeps everything below `dir`
 */
async function ownStorage(dir: string): Promise<Record<string, string>> {
  const [conf, scratch] = [join(dir, 'storage.conf'), join(dir, 'tmp')];
  await mkdir(scratch, { recursive: true });
  const places = [`graphroot = "${join(dir, 'images')}"`, `runroot = "${join(dir, 'run')}"`];
  await writeFile(conf, ['[storage]', 'driver = "overlay"', ...places, ''].join('\n'));
  return { CONTAINERS_STORAGE_CONF: conf, TMPDIR: scratch };
}

/** Takes one file out of an image's archive: from the uppermost layer that has it. */
export async function takeFile(archive: string, path: string, to: string, run: Run): Promise<void> {
  const scratch = `${to}.layers`;
  await mkdir(scratch, { recursive: true });
  await run(['tar', '--extract', '--file', archive, '--directory', scratch], { within: ours.packing });
  const [image] = JSON.parse(await readFile(join(scratch, 'manifest.json'), 'utf8')) as {
    Layers: string[];
  }[];
  for (const layer of image?.Layers.toReversed() ?? []) {
    const { stdout } = await run(['tar', '--list', '--file', join(scratch, layer)], { within: ours.packing });
    const member = stdout.split('\n').find((line) => line.replace(/^\.?\//, '') === path.replace(/^\//, ''));
    if (member === undefined) continue;
    const words = ['tar', '--extract', '--to-stdout', '--file', join(scratch, layer), member];
    await run(['sh', '-c', 'to=$1; shift; exec "$@" >"$to"', '-', to, ...words], { within: ours.packing });
    await rm(scratch, { recursive: true });
    return;
  }
  throw new RefusedError(`${archive} is no image of what it should be: none of its layers has ${path}.`);
}

async function pull(words: readonly string[], run: Run, note: (line: string) => void): Promise<void> {
  try {
    await run(words, { within: ours.pull, onLine: note });
  } catch (error) {
    const said = error instanceof CommandError ? error.output.stderr.trim().split('\n').at(-1) : undefined;
    throw new RefusedError(
      `${words.at(-1) ?? ''} could not be pulled by ${words[0] ?? ''}: ${said || messageOf(error)}`,
      { cause: error },
    );
  }
}

const has = async (tool: string, image: string, run: Run): Promise<boolean> =>
  run([tool, 'image', 'inspect', image]).then(
    () => true,
    () => false,
  );
