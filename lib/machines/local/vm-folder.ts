import { copyFile, mkdir, rm, symlink, truncate, writeFile } from 'node:fs/promises';
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
  const link = async (from: string, file: string, as = file): Promise<void> =>
    symlink(join(from, file), join(dir, as));
  await link(image, 'kernel');
  await link(image, 'initrd');
  await link(image, 'disk.qcow2', 'image.qcow2');
  if (snapshot === undefined) {
    await makeOverlay(dir, 'disk.qcow2', 'image.qcow2');
  } else {
    await link(snapshot, 'memory');
    await link(snapshot, 'state');
    await link(snapshot, 'disk.qcow2', 'booted.qcow2');
    await copyFile(join(snapshot, 'overlay.qcow2'), join(dir, 'disk.qcow2'));
  }
  await writeFile(join(dir, 'drop.img'), '', { mode: 0o600 });
  await truncate(join(dir, 'drop.img'), dropDiskMiB * 1024 * 1024);
}

/** A disk that holds what changes from the disk `base`; both are named as they are called in the machine's folder. */
export async function makeOverlay(dir: string, name: string, base: string): Promise<void> {
  await run(['qemu-img', 'create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', base, name], { cwd: dir });
}

export const readState = (dir: string): VmState | undefined => readJson<VmState>(join(dir, 'vm.json'));

export async function writeState(dir: string, state: VmState): Promise<void> {
  await writeAtomic(join(dir, 'vm.json'), JSON.stringify(state), 0o600);
}
