import { chmod, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ownArchitecture, type Architecture } from '#lib/artifacts/architecture.ts';
import { isMade, made, type ProduceOptions, type Product } from '#lib/artifacts/store.ts';
import type { Within } from '#lib/base/deadline.ts';
import { ours } from '#lib/base/deadlines.ts';
import { ask } from '#lib/base/download.ts';
import { RefusedError } from '#lib/base/errors.ts';
import type { Settings } from '#lib/base/settings.ts';
import { k3sFiles, type ReleasedFile } from './addresses.ts';
import { checksumOf } from './checksums.ts';
import { checksums, fetched, refusalOf } from './fetched.ts';

/** A release of k3s: its program, and the archive of its images that goes to /var/lib/rancher/k3s/agent/images. */
export interface K3s {
  program: string;
  images: string;
}

const imagesName = 'k3s-airgap-images';

/**
 * k3s and its air-gap images, verified, from the cache or its release.
 *
 * @throws RefusedError that names the file that is not there, cannot be reached, or is not what its checksum says
 */
export async function k3s(
  settings: Pick<Settings, 'lab'>,
  place: ProduceOptions = {},
  architecture = ownArchitecture,
): Promise<K3s> {
  const dir = await made(productOf(settings, architecture), place);
  const archive = (await readdir(dir)).find((file) => file.startsWith(imagesName)) ?? '';
  return { program: join(dir, 'k3s'), images: join(dir, archive) };
}

/**
 * Why the release of k3s cannot be had now, as the beginning of a sentence, or undefined when it is in the cache or
 * its checksum file can be reached. Nothing is fetched.
 *
 * @param within how long its address may take to answer
 */
export async function lackOfK3s(
  settings: Pick<Settings, 'lab'>,
  {
    within = ours.sourceLook,
    architecture = ownArchitecture,
  }: { within?: Within; architecture?: Architecture } = {},
): Promise<string | undefined> {
  const { cache, releases, k3sVersion } = settings.lab;
  if (await isMade(productOf(settings, architecture), join(cache, 'artifacts'))) return undefined;
  const { checksums: list } = k3sFiles(releases, k3sVersion, architecture);
  const answer = await ask(list, within);
  return 'text' in answer ? undefined : refusalOf(list, answer);
}

function productOf({ lab }: Pick<Settings, 'lab'>, architecture: Architecture): Product {
  const { releases, k3sVersion } = lab;
  const files = k3sFiles(releases, k3sVersion, architecture);
  return {
    name: 'k3s',
    inputs: { url: files.program.url },
    title: `k3s ${k3sVersion} and its air-gap images`,
    expectedMs: 60_000,
    build: async (dir, note, _run, signal) => {
      const list = await checksums(files.checksums, { signal });
      const images = listed(files.images, list, files.checksums);
      await fetched(files.program, join(dir, 'k3s'), { note, signal });
      await chmod(join(dir, 'k3s'), 0o755);
      const form = images.file.slice(images.file.indexOf('.'));
      await fetched(images, join(dir, `${imagesName}${form}`), { note, signal });
    },
  };
}

/** The first of the forms of the images that the release has; not every release has the smaller ones. */
function listed(forms: readonly ReleasedFile[], list: string, url: string): ReleasedFile {
  const found = forms.find(({ file }) => checksumOf(file, list, url) !== undefined);
  if (found) return found;
  const names = forms.map(({ file }) => file).join(', ');
  throw new RefusedError(
    `${url} has no checksum of any of ${names}, so the images of k3s cannot be verified.`,
  );
}
