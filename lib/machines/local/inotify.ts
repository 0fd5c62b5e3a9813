import { readFile, writeFile } from 'node:fs/promises';
import { say } from '#lib/base/progress.ts';

const limit = '/proc/sys/fs/inotify/max_user_instances';
/** A lab takes about 45 for root: kubelets, containerd, the API server. Kernels start with 128 for all of a user. */
const wanted = 1024;

/**
 * Raises how many file watchers a user may have, so that several labs fit beside what else runs. It stays raised,
 * as it would by hand. Without enough, containerd comes up without its Kubernetes part and no node gets ready.
 */
export async function roomForWatchers(file = limit): Promise<void> {
  const now = Number(await readFile(file, 'utf8'));
  if (now >= wanted) return;
  try {
    await writeFile(file, String(wanted));
    say(
      `Raised fs.inotify.max_user_instances from ${String(now)} to ${String(wanted)}: a lab takes about 45.`,
    );
  } catch {
    say(
      `fs.inotify.max_user_instances is ${String(now)} and cannot be raised here; a lab takes about 45. If nodes do not get ready: sysctl fs.inotify.max_user_instances=${String(wanted)} on the host.`,
    );
  }
}
