import { readFile, writeFile } from 'node:fs/promises';
import { say } from '#lib/base/progress.ts';

/** Where the kernel has how many file watchers (instances of inotify) a user may have. */
export const inotifyLimit = '/proc/sys/fs/inotify/max_user_instances';
/** What a lab takes for root: kubelets, containerd, the API server. Kernels start with 128 for all of a user. */
export const watchersOfLab = 45;
/** So that several labs fit beside what else runs. */
export const watchersWanted = 1024;

/**
 * Raises how many file watchers a user may have. It stays raised, as it would by hand. Without enough, containerd comes
 * up without its Kubernetes part and no node gets ready; where they cannot be raised, the look before a run says so.
 */
export async function roomForWatchers(file = inotifyLimit): Promise<void> {
  const now = Number(await readFile(file, 'utf8'));
  if (now >= watchersWanted) return;
  await writeFile(file, String(watchersWanted)).then(
    () => {
      say(
        `Raised fs.inotify.max_user_instances from ${String(now)} to ${String(watchersWanted)}: a lab takes about ${String(watchersOfLab)}.`,
      );
    },
    () => undefined,
  );
}
