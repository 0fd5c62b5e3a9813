import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { redact } from './redact.ts';

/** A program of a lab that ended although nobody stopped it; its supervisor started it again. */
export interface EndedProgram {
  /** The machine that it is on; `lab` for what the lab has beside its machines. */
  node: string;
  program: string;
  /** When it ended, as an ISO time. */
  at: string;
  /** How long it had been running, in milliseconds. */
  ranMs: number;
  /** Its exit code; without one a signal ended it. */
  code?: number;
  /** The number of that signal. */
  signal?: number;
  /** The last line that it said since it was started; empty when it said nothing. */
  said: string;
}

/** The file that a supervisor adds a line to for each program that ended, in a folder of logs. */
export const endedFile = 'ended.tsv';

/** The node name of what the lab has beside its machines. */
export const besideMachines = 'lab';

/**
 * What ended in a lab of this host, in the order in which it ended, from the files of its supervisors.
 *
 * @param dir the folder of the lab, which may be gone
 * @param since only what ended at this moment or later, in milliseconds since 1970
 */
export function endedIn(dir: string, since = 0): EndedProgram[] {
  const machines = join(dir, 'machines');
  const files = [
    [besideMachines, join(dir, endedFile)],
    ...list(machines).map((name) => [name, join(machines, name, 'var/log', endedFile)]),
  ] as [string, string][];
  return files
    .flatMap(([node, file]) =>
      text(file)
        .split('\n')
        .flatMap((line) => parsed(node, line)),
    )
    .filter(({ at }) => Date.parse(at) >= since)
    .sort((a, b) => (a.at < b.at ? -1 : 1));
}

/** One line of such a file: program, when it was started and ended, exit code (256 for a signal), signal, last line. */
function parsed(node: string, line: string): EndedProgram[] {
  const [program = '', started, ended, code, signal, ...said] = line.split('\t');
  if (ended === undefined || !/^\d+$/.test(ended)) return [];
  const bySignal = Number(code) > 255;
  return [
    {
      ...{ node, program, at: new Date(Number(ended)).toISOString() },
      ranMs: Math.max(0, Number(ended) - Number(started)),
      ...(bySignal ? { signal: Number(signal) } : { code: Number(code) }),
      said: redact(said.join(' ').trim()),
    },
  ];
}

/** "kube-scheduler on k3s-master ended with exit code 1 after 10.1 s (the last line that it said)" */
export function endOf({ node, program, ranMs, code, signal, said }: EndedProgram): string {
  const how = code === undefined ? `by signal ${signalName(signal)}` : `with exit code ${String(code)}`;
  return `${programOf({ node, program })} ended ${how} after ${(ranMs / 1000).toFixed(1)} s (${said || 'it said nothing'})`;
}

/** "kube-scheduler on k3s-master" */
export const programOf = ({ node, program }: Pick<EndedProgram, 'node' | 'program'>): string =>
  node === besideMachines ? `${program} of the lab` : `${program} on ${node}`;

const signals: Readonly<Record<number, string>> = {
  ...{ 1: 'HUP', 2: 'INT', 3: 'QUIT', 4: 'ILL', 6: 'ABRT', 7: 'BUS', 8: 'FPE', 9: 'KILL', 11: 'SEGV' },
  ...{ 13: 'PIPE', 14: 'ALRM', 15: 'TERM' },
};

const signalName = (number = 0): string => signals[number] ?? String(number);

function list(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function text(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
