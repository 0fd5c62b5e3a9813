import { mkdir, readdir, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { RefusedError } from '#lib/base/errors.ts';

const name = 'local-release';

/** What a cache has of its own beside the artifacts. */
const apart = ['artifacts', 'labs', name];

/** A cache that has all that another has, and whose own additions go with it. */
export interface OwnCache {
  path: string;
  /** Removes it, unless a lab stands on it. @returns the names of these labs */
  end(): Promise<string[]>;
}

/**
 * Makes a cache below another one: what is downloaded from an address that is there for a moment only has no place among
 * what is kept.
 *
 * @throws RefusedError when a lab stands on the one that an earlier command left
 */
export async function ownCache(cache: string): Promise<OwnCache> {
  const path = join(cache, name);
  const labs = await namesIn(join(path, 'labs'));
  if (labs.length > 0) {
    throw new RefusedError(
      `Lab ${labs.join(', ')} of an earlier local release stands on ${path}; \`LAB_CACHE=${path} LAB_NAME=${labs[0] ?? ''} npm run lab -- down\` ends it.`,
    );
  }
  await rm(path, { recursive: true, force: true });
  await mkdir(join(path, 'artifacts'), { recursive: true });
  for (const folder of ['', 'artifacts']) {
    const usable = (await namesIn(join(cache, folder))).filter(
      (one) => !/\.(draft|lock)$/.test(one) && (folder !== '' || !apart.includes(one)),
    );
    for (const one of usable) await symlink(join(cache, folder, one), join(path, folder, one));
  }
  return {
    path,
    end: async () => {
      const standing = await namesIn(join(path, 'labs'));
      if (standing.length === 0) await rm(path, { recursive: true, force: true });
      return standing;
    },
  };
}

const namesIn = async (folder: string): Promise<string[]> => readdir(folder).catch(() => []);
