import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { lstat, readdir, readlink } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { messageOf } from '#lib/base/errors.ts';
import { readJson, sha256File, writeAtomic } from '#lib/base/files.ts';

/** Stands in the folder of each artifact. */
export const manifestFile = '.manifest.json';

/** A file as it was when the artifact was built; of a symbolic link the target is hashed. */
interface FileEntry {
  path: string;
  size: string;
  mode: string;
  sha256: string;
  mtimeNs: string;
  ctimeNs: string;
}

export interface Manifest {
  name: string;
  title: string;
  inputs: unknown;
  /** How long the build took, in milliseconds. */
  tookMs: number;
  files: FileEntry[];
}

/** Why an artifact cannot be used. */
export type Damage = 'absent' | { file: string; expected: string; found: string };

/** Every file and symbolic link below a folder, with size, mode, hash and times. */
export async function describe(dir: string): Promise<FileEntry[]> {
  const files: FileEntry[] = [];
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() && !entry.isSymbolicLink()) continue;
    const path = join(entry.parentPath, entry.name);
    files.push({ path: relative(dir, path), ...(await stateOf(path)), sha256: await hashOf(path) });
  }
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** The hash of every file below a folder, by its path: what a build reads, for the key of an artifact. */
export async function hashesOf(dir: string): Promise<Record<string, string>> {
  return Object.fromEntries((await describe(dir)).map(({ path, sha256 }) => [path, sha256]));
}

/**
 * What is wrong with an artifact, or undefined. Sizes and times are looked at; a file is hashed when they differ,
 * and when the hash is right the new times are kept, so that it is not hashed each time.
 */
export async function verify(dir: string, hardLinked: boolean): Promise<Damage | undefined> {
  const path = join(dir, manifestFile);
  let manifest: Manifest | undefined;
  try {
    manifest = readJson<Manifest>(path);
    if (manifest === undefined)
      return (await exists(dir)) ? damage(manifestFile, 'a manifest', 'none') : 'absent';
    if (!Array.isArray(manifest.files)) return damage(manifestFile, 'a list of files', 'none');
  } catch (error) {
    return damage(manifestFile, 'a manifest', messageOf(error));
  }

  let touched = false;
  for (const entry of manifest.files) {
    const file = join(dir, entry.path);
    const now = await stateOf(file).catch(() => undefined);
    if (now === undefined) return damage(entry.path, entry.sha256, 'no such file');
    if (now.size !== entry.size) return damage(entry.path, entry.sha256, await hashOf(file));
    if (now.mode !== entry.mode) return damage(entry.path, `mode ${entry.mode}`, `mode ${now.mode}`);
    if (now.mtimeNs === entry.mtimeNs && (hardLinked || now.ctimeNs === entry.ctimeNs)) continue;
    const sha256 = await hashOf(file);
    if (sha256 !== entry.sha256) return damage(entry.path, entry.sha256, sha256);
    Object.assign(entry, now);
    touched = true;
  }
  if (touched) await writeAtomic(path, JSON.stringify(manifest, undefined, 1));
  return undefined;
}

const damage = (file: string, expected: string, found: string): Damage => ({ file, expected, found });

async function stateOf(path: string): Promise<Omit<FileEntry, 'path' | 'sha256'>> {
  const { size, mode, mtimeNs, ctimeNs }: BigIntStats = await lstat(path, { bigint: true });
  return {
    size: String(size),
    mode: (mode & 0o7777n).toString(8),
    mtimeNs: String(mtimeNs),
    ctimeNs: String(ctimeNs),
  };
}

async function hashOf(path: string): Promise<string> {
  if (!(await lstat(path)).isSymbolicLink()) return sha256File(path);
  return createHash('sha256')
    .update(await readlink(path))
    .digest('hex');
}

const exists = async (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );
