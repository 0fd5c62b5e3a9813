import { run as runHere, type Run } from '#lib/base/command.ts';

const isRoot = process.getuid?.() === 0;

/** A run of contained programs that `signal` can end. */
export function containedRun(signal?: AbortSignal, run: Run = runHere, root = isRoot): Run {
  return async (words, options) => run(contained(words, root), { ...options, ...(signal && { signal }) });
}

/**
 * The command in a pid and mount namespace of its own that ends with us: whatever it starts or mounts is gone with it,
 * also when we are killed. Without root there are no namespaces to be had and it runs as it is.
 */
export function contained(words: readonly string[], root = isRoot): string[] {
  if (!root) return [...words];
  const ends = ['setpriv', '--pdeathsig', 'KILL', '--'];
  return [...ends, 'unshare', '--mount', '--pid', '--fork', '--kill-child=KILL', '--mount-proc', ...words];
}
