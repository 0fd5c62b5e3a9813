import { createHash } from 'node:crypto';
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';

/** A file as `git ls-tree -r` tells it. */
export interface BlobEntry {
  mode: '100644' | '100755';
  id: string;
  path: string;
}

/** The id that git gives to a file of this content. */
export function blobId(content: Uint8Array | string): string {
  const bytes = Buffer.from(content);
  return createHash('sha1')
    .update(`blob ${String(bytes.length)}\0`)
    .update(bytes)
    .digest('hex');
}

/** The files below a folder, as `git ls-tree -r` would tell them, by path. */
export async function blobsIn(folder: string): Promise<BlobEntry[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Promise.all(
    files.sort().map(async (file): Promise<BlobEntry> => {
      const executable = ((await stat(file)).mode & 0o100) !== 0;
      return {
        mode: executable ? '100755' : '100644',
        id: blobId(await readFile(file)),
        path: relative(folder, file),
      };
    }),
  );
}
