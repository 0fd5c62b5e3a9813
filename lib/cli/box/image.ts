import { mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { debianName, ownArchitecture } from '#lib/artifacts/architecture.ts';
import { contained } from '#lib/artifacts/contained.ts';
import { debianSources, type DebianRelease } from '#lib/artifacts/debian-sources.ts';
import { packagesFor } from '#lib/artifacts/vm-image.ts';
import { produce } from '#lib/artifacts/store.ts';
import { run } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { fixture } from '#lib/base/paths.ts';

/** Where a box keeps what a project disk has; its fstab mounts it there. */
export const projectFolder = '/box';

/**
 * The disk of a Debian host with its own kernel, systemd, cgroup version 2, systemd-resolved and AppArmor, on which the
 * packages that a lab takes are installed. It is reached by ssh as root.
 *
 * @returns the folder of `kernel`, `initrd`, `disk.qcow2`, `id` (a private key) and `host_key.pub`; not to be written to
 */
export async function boxImage(os: DebianRelease, mirror: string): Promise<string> {
  const list = await readFile(fixture('box/packages.txt'), 'utf8');
  const packages = packagesFor(ownArchitecture, list);
  const { lines, suites } = await debianSources(os, mirror);
  const recipe = await readFile(fixture('box/customize.sh'), 'utf8');
  return produce(
    `box-${os}`,
    { packages, suites, recipe },
    `Disk of a box (${os})`,
    120_000,
    async (dir, note) => {
      for (const key of ['id', 'host_key'])
        await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'box', '-f', join(dir, key)]);
      const root = join(dir, 'root');
      const customize = `sh '${fixture('box/customize.sh')}' "$1" '${dir}'`;
      const what = [
        ...['--mode=root', '--variant=minbase', '--format=directory'],
        ...[`--architectures=${debianName(ownArchitecture)}`, `--include=${packages.join(',')}`],
        `--customize-hook=${customize}`,
      ];
      await run(contained(['mmdebstrap', ...what, '', root, '-']), {
        input: `${lines.join('\n')}\n`,
        env: { LC_ALL: 'C.UTF-8' },
        within: ours.debootstrap,
        onLine: (line) => {
          if (line.startsWith('I: ')) note(line.slice(3, 80));
        },
      });
      note('making the disk');
      const boot = await readdir(join(root, 'boot'));
      for (const [name, prefix] of [
        ['kernel', 'vmlinuz-'],
        ['initrd', 'initrd.img-'],
      ] as const) {
        const file = boot.find((one) => one.startsWith(prefix));
        if (file === undefined) throw new Error(`The box has no ${prefix}* in /boot: ${boot.join(', ')}`);
        await rename(join(root, 'boot', file), join(dir, name));
      }
      await makeDisk(root, join(dir, 'disk.qcow2'), '12G');
      await rm(root, { recursive: true });
      await rm(join(dir, 'host_key'));
    },
  );
}

/** A disk with a file system that holds a folder. */
export async function makeDisk(folder: string, disk: string, size: string, label = 'root'): Promise<void> {
  const raw = `${disk}.raw`;
  await mkdir(folder, { recursive: true });
  await run(['mke2fs', '-q', '-t', 'ext4', '-m', '0', '-L', label, '-d', folder, raw, size], {
    within: ours.imageStep,
  });
  await run(['qemu-img', 'convert', '-f', 'raw', '-O', 'qcow2', raw, disk], { within: ours.imageStep });
  await rm(raw);
}
