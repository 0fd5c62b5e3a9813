import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { exists } from '#lib/base/files.ts';
import { cacheDir } from '#lib/base/paths.ts';
import { closeLab, findLab } from './lab.ts';

const group = 'istio-vm-conformance';

/** The folders in a folder, by name; none when it is not there. */
export const foldersIn = (dir: string): string[] =>
  exists(dir)
    ? readdirSync(dir, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []))
    : [];

/** Where the control groups of labs are: in every hierarchy of version 1, or in that of version 2. */
export const groups = (): string[] =>
  ['', ...foldersIn('/sys/fs/cgroup')].map((name) => join('/sys/fs/cgroup', name, group));

/** The labs that left something on this machine, standing or not: by their folders and their control groups. */
export function labNames(): string[] {
  const found = [join(cacheDir(), 'labs'), ...groups()].flatMap(foldersIn);
  return [...new Set(found)].toSorted();
}

/** Removes what labs that no longer stand left behind. Returns their names. */
export async function sweep(): Promise<string[]> {
  const swept: string[] = [];
  for (const name of labNames()) {
    if (await findLab(name)) continue;
    await closeLab(name);
    swept.push(name);
  }
  return swept;
}
