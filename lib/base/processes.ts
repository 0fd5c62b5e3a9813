import { readFileSync } from 'node:fs';

/** A process, told apart from a later one with the same id by its start time (clock ticks since boot). */
export interface ProcessId {
  pid: number;
  started: string;
}

/** The process with this id, or undefined when none runs. A zombie does not run. */
export function processOf(pid: number): ProcessId | undefined {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return { pid, started: fields[19] ?? '' };
  } catch {
    return undefined;
  }
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
