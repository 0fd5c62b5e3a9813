import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ours } from '#lib/base/deadlines.ts';
import { withLock } from '#lib/base/lock.ts';
import type { FileOptions, Machine } from '#lib/machines/machine.ts';
import { dropDiskMiB } from './vm-folder.ts';

/** How a command is run in the guest. */
type RunInGuest = Machine['run'];

/** Writes a small file so that no reader in the guest sees half of it. Missing folders are made. */
export async function writeFileInGuest(
  run: RunInGuest,
  path: string,
  content: string | Uint8Array,
  options: FileOptions = {},
): Promise<void> {
  // install creates with the right mode, so a secret is never readable by others
  const script =
    'path=$1 draft=$1.$$.tmp; shift; install "$@" /dev/stdin "$draft" && mv -fT "$draft" "$path" || { rm -f "$draft"; exit 1; }';
  await run(['sh', '-c', script, '-', path, '-D', ...ownership(options)], { input: content });
}

/**
 * Copies a file of up to 512 MiB by way of the drop disk in the machine's folder `dir`: the host writes on it, the
 * guest reads past its cache. Much faster than the guest agent or ssh on an emulated processor.
 */
export async function uploadFile(
  dir: string,
  run: RunInGuest,
  localPath: string,
  remotePath: string,
  options: FileOptions = {},
): Promise<void> {
  const { size } = await stat(localPath);
  const most = dropDiskMiB * 1024 * 1024;
  if (size > most) {
    throw new Error(
      `${localPath} has ${String(size)} bytes, and the disk that carries it to the VM ${String(most)}.`,
    );
  }
  await withLock(join(dir, 'drop.lock'), 'the disk that carries files to the VM', async () => {
    await copyOver(localPath, join(dir, 'drop.img'));
    const sectors = String(Math.ceil(size / 512) * 512);
    const script = [
      'set -e; path=$1 bytes=$2 size=$3; shift 3; draft=$path.$$.tmp; trap \'rm -f "$draft"\' EXIT',
      'install "$@" /dev/null "$draft"',
      '[ "$bytes" = 0 ] || dd if=/dev/vdb of="$draft" bs=1M count="$bytes" iflag=direct,count_bytes status=none',
      'truncate -s "$size" "$draft"; mv -fT "$draft" "$path"',
    ].join('; ');
    const words = ['-', remotePath, sectors, String(size), '-D', ...ownership(options)];
    await run(['sh', '-c', script, ...words], { within: ours.packing });
  });
}

/** Options of install(1). */
function ownership({ mode = 0o644, owner }: FileOptions): string[] {
  const [user, group] = owner?.split(':') ?? [];
  return [...['-m', mode.toString(8)], ...(user ? ['-o', user] : []), ...(group ? ['-g', group] : [])];
}

/** Overwrites the beginning of a file without changing its size. */
async function copyOver(from: string, to: string): Promise<void> {
  const [source, target] = [await open(from, 'r'), await open(to, 'r+')];
  try {
    const buffer = Buffer.allocUnsafe(1024 * 1024);
    for (let at = 0; ;) {
      const { bytesRead } = await source.read(buffer, 0, buffer.length, at);
      if (bytesRead === 0) return;
      await target.write(buffer, 0, bytesRead, at);
      at += bytesRead;
    }
  } finally {
    await source.close();
    await target.close();
  }
}
