import { createHash } from 'node:crypto';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { fixture } from '#lib/base/paths.ts';
import { debianName, ownArchitecture, type Architecture } from './architecture.ts';
import { contained } from './contained.ts';
import { debianSources, keyMissing, type DebianRelease } from './debian-sources.ts';
import { withForeignPrograms } from './foreign-programs.ts';
import { produce, type Place } from './store.ts';

/** What is baked into the disk of the external VM. */
export interface VmImagePlan {
  hostname: string;
  /** With the length of the network's prefix: 192.168.64.64/24. */
  address: string;
  diskGiB: number;
  architecture: Architecture;
  os: DebianRelease;
  /** Where it comes from, as `debianSources` takes it; another mirror gives the same machine. */
  mirror: string;
}

/**
 * A Debian root with its own kernel, made by mmdebstrap from a pinned release, whatever this host is.
 * The versions of its packages are those of the day it is built; they stand in its file `packages`. For another
 * architecture the scripts of its packages run in an emulator.
 *
 * @returns the folder of `kernel`, `initrd`, `disk.qcow2` and `architecture`, none of which is to be written to
 */
export async function vmImage(plan: VmImagePlan, place?: Place): Promise<string> {
  const { mirror, ...machine } = plan;
  const { architecture, os } = machine;
  const foreign = architecture !== ownArchitecture;
  const packages = packagesFor(architecture, await readFile(fixture('vm/packages.txt'), 'utf8'));
  const { lines, suites } = await debianSources(os, mirror);
  const inputs = { ...machine, packages, suites, recipe: await recipeHash() };
  return produce(
    ['vm-image', os, ...(foreign ? [debianName(architecture)] : [])].join('-'),
    inputs,
    `Disk of the external VM (${[os, ...(foreign ? [debianName(architecture)] : [])].join(', ')})`,
    foreign ? 400_000 : 60_000,
    async (draft, note) => {
      await bootstrap(draft, plan, packages, lines, note);
      note('making the disk');
      await makeDisk(draft, plan);
    },
    place,
  );
}

/** The packages of a list in which ARCH stands for the architecture. */
export const packagesFor = (architecture: Architecture, list: string): string[] =>
  wanted(list).map((name) => name.replace('ARCH', debianName(architecture)));

/** The names in a list with one a line and comments. */
export const wanted = (list: string): string[] =>
  list
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter(Boolean);

/** What the machines of an image have to be. */
export const architectureOf = async (image: string): Promise<Architecture> =>
  (await readFile(join(image, architectureFile), 'utf8')) as Architecture;

const architectureFile = 'architecture';

async function bootstrap(
  dir: string,
  { hostname, address, architecture, os }: VmImagePlan,
  packages: string[],
  sources: string[],
  note: (text: string) => void,
): Promise<void> {
  const list = join(dir, 'sources.list');
  await writeFile(list, `${sources.join('\n')}\n`);
  const leaveOut = ['doc', 'man', 'locale', 'info'].map(
    (name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`,
  );
  const files = `cp -R '${fixture('vm/files')}/.' "$1"/`;
  const customize = `sh '${fixture('vm/customize.sh')}' "$1" '${hostname}' '${address}'`;
  const hooks = [`--essential-hook=${files}`, `--customize-hook=${customize}`];
  const what = [
    ...['--mode=root', '--variant=minbase', '--format=directory'],
    ...[`--architectures=${debianName(architecture)}`, `--include=${packages.join(',')}`],
  ];
  const words = ['mmdebstrap', ...what, ...leaveOut, ...hooks, '', join(dir, 'root'), list];
  await run(contained(architecture === ownArchitecture ? words : withForeignPrograms(architecture, words)), {
    // Debian's own initial RAM disk is not used
    env: { INITRD: 'No', LC_ALL: 'C.UTF-8' },
    within: ours.debootstrap,
    onLine: (line) => {
      if (line.startsWith('I: ')) note(line.slice(3, 80));
    },
  }).catch((error: unknown) => {
    throw keyMissing(error, os) ?? error;
  });
  await rm(list);
}

async function makeDisk(dir: string, { diskGiB, architecture }: VmImagePlan): Promise<void> {
  const [root, raw] = [join(dir, 'root'), join(dir, 'disk.raw')];
  await writeFile(join(dir, architectureFile), architecture);
  const { stdout } = await run(['dpkg-query', `--admindir=${root}/var/lib/dpkg`, '-W']);
  await writeFile(join(dir, 'packages'), stdout);
  const boot = await readdir(join(root, 'boot'));
  const kernel = boot.find((name) => name.startsWith('vmlinuz-'));
  if (kernel === undefined) throw new Error(`The image has no kernel in /boot: ${boot.join(', ')}`);
  await rename(join(root, 'boot', kernel), join(dir, 'kernel'));
  await rename(join(root, 'boot/lab-initrd'), join(dir, 'initrd'));
  await run(['mke2fs', '-q', '-t', 'ext4', '-m', '0', '-d', root, raw, `${String(diskGiB)}G`], {
    within: ours.packing,
  });
  await run(['qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', raw, join(dir, 'disk.qcow2')], {
    within: ours.packing,
  });
  await rm(raw);
  await rm(root, { recursive: true });
}

/** The hash of all that makes up the recipe: this file and the folder of its fixtures. */
async function recipeHash(): Promise<string> {
  const hash = createHash('sha256').update(await readFile(import.meta.filename));
  const entries = await readdir(fixture('vm'), { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  for (const path of paths.sort()) hash.update(path.slice(fixture('vm').length)).update(await readFile(path));
  return hash.digest('hex');
}
