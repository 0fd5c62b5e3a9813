import { processTable, type ProcessTable } from './process-table.ts';

/** A process, told apart from a later one with the same id by its start time, as this machine tells it. */
export interface ProcessId {
  pid: number;
  started: string;
}

/** The process with this id, or undefined when none runs. A zombie does not run. */
export function processOf(pid: number, table = processTable()): ProcessId | undefined {
  const told = table.of(pid);
  return told && { pid, started: told.started };
}

/** This process, which runs. @throws Error when the machine does not tell of it */
export function thisProcess(): ProcessId {
  const us = processOf(process.pid);
  if (us) return us;
  throw new Error(`This machine does not tell when process ${String(process.pid)} started, which is ours.`);
}

/** The processes that a process has started, and those that they have; whoever was given up by its parent is not found. */
export function descendantsOf(pid: number, table: ProcessTable = processTable()): ProcessId[] {
  const children = new Map<number, ProcessId[]>();
  for (const [id, { parent, started }] of table.all())
    children.set(parent, [...(children.get(parent) ?? []), { pid: id, started }]);
  const below = (parent: number): ProcessId[] =>
    (children.get(parent) ?? []).flatMap((child) => [child, ...below(child.pid)]);
  return below(pid);
}

/**
 * The processes of these programs that have a word in their environment, whoever started them. Where there is no /proc,
 * those whose environment the system lets us see.
 *
 * @param word such as KUBECONFIG=/some/file
 * @param programs the names of their executables
 */
export function processesWith(
  word: string,
  programs: readonly string[],
  table: ProcessTable = processTable(),
): ProcessId[] {
  return table.having(word, programs).flatMap((pid) => processOf(pid, table) ?? []);
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
