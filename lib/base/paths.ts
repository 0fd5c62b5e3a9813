import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RefusedError } from './errors.ts';

/** The checkout. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

/** A file under fixtures/. */
export const fixture = (...parts: string[]): string => join(root, 'fixtures', ...parts);

/** Where runs leave what they have to say: LAB_REPORTS (a path from the checkout, or an absolute one), or reports/. */
export const reportsDir = (env: NodeJS.ProcessEnv = process.env): string =>
  resolve(root, env['LAB_REPORTS'] || 'reports');

/** Where artifacts and labs are kept, outside the checkout: LAB_CACHE, or the user's cache folder. */
export function cacheDir(env: NodeJS.ProcessEnv = process.env): string {
  const asked = env['LAB_CACHE'];
  if (asked) {
    if (!isAbsolute(asked)) throw new RefusedError(`LAB_CACHE must be an absolute path, got "${asked}".`);
    return resolve(asked);
  }
  return join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'istio-vm-conformance');
}

/** The folder of one lab: its state, secrets (mode 0600) and logs. */
export const labDir = (name: string): string => join(cacheDir(), 'labs', name);
