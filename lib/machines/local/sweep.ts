import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { exists } from '#lib/base/files.ts';
import { cacheDir } from '#lib/base/paths.ts';
import { closeLab, findLab } from './lab.ts';

const group = 'istio-vm-conformance';

/** The labs that left something on this machine, standing or not: by their folders and their control groups. */
export function labNames(): string[] {
  const found = new Set<string>();
  const list = (dir: string): string[] =>
    exists(dir)
      ? readdirSync(dir, { withFileTypes: true }).flatMap((entry) =>
          entry.isDirectory() ? [entry.name] : [],
        )
      : [];
  for (const name of list(join(cacheDir(), 'labs'))) found.add(name);
  for (const top of [
    '/sys/fs/cgroup',
    ...list('/sys/fs/cgroup').map((name) => join('/sys/fs/cgroup', name)),
  ]) {
    for (const name of list(join(top, group))) found.add(name);
  }
  return [...found].toSorted();
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
