import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';

/** A process, told apart from a later one with the same id by its start time (clock ticks since boot). */
export interface ProcessId {
  pid: number;
  started: string;
}

/** The process with this id, or undefined when none runs. A zombie does not run. */
export function processOf(pid: number): ProcessId | undefined {
  const seen = look(pid);
  return seen && { pid, started: seen.started };
}

function look(pid: number): { parent: number; started: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return { parent: Number(fields[1]), started: fields[19] ?? '' };
  } catch {
    return undefined;
  }
}

/** The processes that a process has started, and those that they have; whoever was given up by its parent is not found. */
export function descendantsOf(pid: number): ProcessId[] {
  const children = new Map<number, ProcessId[]>();
  for (const id of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    const seen = look(Number(id));
    if (!seen) continue;
    const process = { pid: Number(id), started: seen.started };
    children.set(seen.parent, [...(children.get(seen.parent) ?? []), process]);
  }
  const below = (parent: number): ProcessId[] =>
    (children.get(parent) ?? []).flatMap((child) => [child, ...below(child.pid)]);
  return below(pid);
}

/**
 * The processes of these programs that have a word in their environment, whoever started them.
 *
 * @param word such as KUBECONFIG=/some/file
 * @param programs the names of their executables
 */
export function processesWith(word: string, programs: readonly string[]): ProcessId[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      const words = readFileSync(`/proc/${name}/environ`, 'utf8').split('\0');
      if (!words.includes(word) || !programs.includes(basename(readlinkSync(`/proc/${name}/exe`)))) return [];
      return processOf(Number(name)) ?? [];
    } catch {
      // it has ended, or is not ours to look at
      return [];
    }
  });
}

export function isAlive(process: ProcessId | undefined): boolean {
  return process !== undefined && processOf(process.pid)?.started === process.started;
}

/** Ends a process at once; it may already be gone. */
export function endProcess(pid: number, signal: NodeJS.Signals = 'SIGKILL'): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
