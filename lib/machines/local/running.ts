import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { exists } from '#lib/base/files.ts';
import { foldersIn, groups } from './sweep.ts';

/**
 * The nodes of a lab that have processes, by their control groups: none is forgotten because the lab's folder is gone.
 *
 * @param name the name of a lab, which need not stand
 */
export function runningNodes(name: string): string[] {
  const found = groups()
    .map((group) => join(group, name))
    .flatMap((group) => foldersIn(group).filter((node) => hasProcesses(join(group, node))));
  return [...new Set(found)].toSorted();
}

function hasProcesses(group: string): boolean {
  const file = join(group, 'init/cgroup.procs');
  return exists(file) && readFileSync(file, 'utf8').trim() !== '';
}
