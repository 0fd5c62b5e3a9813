import { mkdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '#lib/base/command.ts';
import { readJson, writeAtomic } from '#lib/base/files.ts';
import type { ProcessId } from '#lib/base/processes.ts';
import type { QemuPlan } from './qemu.ts';

/** What a machine is, however it is started. */
export type Machinery = Omit<QemuPlan, 'memory' | 'incoming'>;

/** What another process needs to know to use a machine. */
export interface VmState {
  machinery: Machinery;
  process?: ProcessId;
}

/** The disk that carries files into the machine. */
export const dropDiskMiB = 512;

export async function freshFolder(dir: string): Promise<void> {
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true, mode: 0o700 });
}

/**
 * Puts all that QEMU is started with into a machine's folder, under fixed names: kernel and disks of the image, and
 * the memory and the state of a snapshot when one is given. What the machine writes goes to an overlay of its own.
 */
export async function layDisks(dir: string, image: string, snapshot?: string): Promise<void> {
  await symlink(join(image, 'kernel'), join(dir, 'kernel'));
  await symlink(join(image, 'initrd'), join(dir, 'initrd'));
  await symlink(join(image, 'disk.qcow2'), join(dir, 'image.qcow2'));
  let base = 'image.qcow2';
  if (snapshot !== undefined) {
    base = 'booted.qcow2';
    await symlink(join(snapshot, 'disk.qcow2'), join(dir, base));
    await symlink(join(snapshot, 'memory'), join(dir, 'memory'));
    await symlink(join(snapshot, 'state'), join(dir, 'state'));
  }
  // the backing files are named as they are called in this folder, so a cache can be moved
  await run(['qemu-img', 'create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', base, 'disk.qcow2'], {
    cwd: dir,
  });
  await run(['truncate', '-s', `${String(dropDiskMiB)}M`, join(dir, 'drop.img')]);
}

export const readState = (dir: string): VmState | undefined => readJson<VmState>(join(dir, 'vm.json'));

export async function writeState(dir: string, state: VmState): Promise<void> {
  await writeAtomic(join(dir, 'vm.json'), JSON.stringify(state), 0o600);
}
