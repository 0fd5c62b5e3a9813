import { mkdir, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { messageOf, RefusedError } from '#lib/base/errors.ts';

/** The error itself, or one clear sentence when it comes down to a full disk. */
export async function refuseFullDisk(error: unknown, title: string, store: string): Promise<unknown> {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const full = /ENOSPC|EDQUOT|no space left on device|disk quota exceeded/i;
  if (code !== 'ENOSPC' && code !== 'EDQUOT' && !full.test(messageOf(error))) return error;
  const [cache, temporary] = [await freeMiB(store), await freeMiB(tmpdir())];
  return new RefusedError(
    `The disk is full (${title}): ${store} has ${String(cache)} MiB free, ${tmpdir()} ${String(temporary)} MiB; ` +
      'make room or point LAB_CACHE (or TMPDIR) at a larger disk. Nothing half-built was left.',
    { cause: error },
  );
}

/** Refuses, before anything is tried, a disk that has less room than `needMiB`: by default, none for even a lock. */
export async function refuseWithoutRoom(title: string, store: string, needMiB = 16): Promise<void> {
  await mkdir(store, { recursive: true }).catch(async (error: unknown) => {
    throw new RefusedError(
      `The cache ${store} cannot be made (${messageOf(error)}); point LAB_CACHE at a folder that can be written to.`,
      { cause: error },
    );
  });
  const free = await freeMiB(store);
  if (free >= needMiB) return;
  throw new RefusedError(
    `The disk is full: ${store} has ${String(free)} MiB free, and ${title} takes ${String(needMiB)} MiB or more; make room or point LAB_CACHE at a larger disk.`,
  );
}

/** How much a user may still write where this path is, in MiB. */
export async function freeMiB(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return Math.floor((bavail * bsize) / 1024 / 1024);
}
