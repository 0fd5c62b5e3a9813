import { link, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Within } from './deadline.ts';
import { ours } from './deadlines.ts';
import { isAlive, thisProcess, type ProcessId } from './processes.ts';
import { until } from './until.ts';

/**
 * Does the work while holding a lock that works across processes. A holder that died is replaced.
 *
 * @param path the lock file; its folder is made when it is missing
 * @param what what the lock protects, for the message
 * @throws NotSeenError when the holder does not let go within the deadline
 */
export async function withLock<T>(
  path: string,
  what: string,
  work: () => Promise<T>,
  within: Within = ours.lock,
): Promise<T> {
  await mkdir(dirname(path), { recursive: true });
  await until(
    `the lock on ${what} (${path})`,
    // a disk that is full or a folder that may not be written to is no holder: it ends the wait at once
    async () => tryLock(path).catch((error: unknown) => ({ error })),
    (holder) => {
      if (typeof holder === 'object' && 'error' in holder) throw holder.error;
      return holder === 'us';
    },
    { within, every: 50 },
  );
  try {
    return await work();
  } finally {
    await rm(path, { force: true });
  }
}

let count = 0;

/** Takes the lock if it is free or its holder is dead. Returns 'us' or who holds it. */
export async function tryLock(path: string): Promise<'us' | ProcessId> {
  count += 1;
  const mine = `${path}.${String(process.pid)}.${String(count)}`;
  await writeFile(mine, JSON.stringify(thisProcess()), { mode: 0o600 });
  try {
    // link() is atomic and, unlike writing with 'wx', never shows an empty lock file
    await link(mine, path);
    return 'us';
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const holder = await holderOf(path);
    if (holder && isAlive(holder)) return holder;
    await removeStale(path, mine);
    return holder ?? { pid: 0, started: '' };
  } finally {
    await rm(mine, { force: true });
  }
}

/** Two may find the same dead holder: only one can move its lock away, and it looks again at what it moved. */
async function removeStale(path: string, mine: string): Promise<void> {
  const moved = `${mine}.stale`;
  try {
    await rename(path, moved);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  const holder = await holderOf(moved);
  if (holder && isAlive(holder)) await link(moved, path).catch(() => undefined);
  await rm(moved, { force: true });
}

/** Who holds the lock, alive or not; undefined when nobody does. */
export async function holderOf(path: string): Promise<ProcessId | undefined> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as ProcessId;
  } catch {
    return undefined;
  }
}
