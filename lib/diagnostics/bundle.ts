import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { redact } from '#lib/base/redact.ts';
import { secretsIn, type Known } from './scan.ts';

/** A file of a bundle. */
export interface Piece {
  /** Its path in the bundle, such as `vm/config_dump.json`. */
  file: string;
  text: string;
}

const mebibyte = 1024 * 1024;

export interface Limits {
  /** Of one file; of a longer one the end is kept, which is nearest to the failure. */
  file: number;
  /** Of all together. */
  bundle: number;
}

/** What a bundle may come to, in bytes; what is left to 25 MiB is for the index. */
const limits: Limits = { file: 4 * mebibyte, bundle: 24 * mebibyte };

/**
 * Writes the files of a bundle without secrets, and reads them back: one that still has any is taken away.
 *
 * @param pieces the most telling first; those that find no room are left out
 * @returns what the index has to say about them, a line each
 */
export async function writeBundle(
  folder: string,
  pieces: readonly Piece[],
  known: readonly Known[],
  { file: most, bundle: room }: Limits = limits,
): Promise<string[]> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  let left = room;
  const notes: string[] = [];
  for (const { file, text } of pieces) {
    const all = Buffer.from(redact(text));
    const cut = all.length > most;
    const kept = cut ? ending(all, most) : all;
    if (kept.length > left) {
      notes.push(`${file}: left out, as there was no room for its ${String(kept.length)} bytes`);
      continue;
    }
    left -= kept.length;
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), kept, { mode: 0o600 });
    notes.push(
      cut
        ? `${file}: the last ${String(kept.length)} bytes of ${String(all.length)}`
        : `${file}: ${String(kept.length)} bytes`,
    );
  }
  return [...notes, ...(await withhold(folder, known))];
}

/** The last bytes of a text, from the beginning of a line on. */
function ending(all: Buffer, most: number): Buffer {
  const kept = all.subarray(all.length - most);
  return kept.subarray(kept.indexOf(10) + 1);
}

/**
 * Takes away every file of a folder that has a secret in it.
 *
 * @returns a line for each
 */
export async function withhold(folder: string, known: readonly Known[]): Promise<string[]> {
  const notes: string[] = [];
  for (const file of await readdir(folder, { recursive: true })) {
    const path = join(folder, file);
    if (!(await stat(path)).isFile()) continue;
    const found = [
      ...new Set([...secretsIn(await readFile(path, 'utf8'), known), ...secretsIn(file, known)]),
    ];
    if (found.length === 0) continue;
    await rm(path);
    notes.push(`${file}: withheld, as the scan found ${found.join(' and ')} in it`);
  }
  return notes;
}
