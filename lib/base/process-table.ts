import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';

/** What a system tells of one of its processes. */
export interface Told {
  parent: number;
  /** When it started, without spaces; a later process with the same id has another. */
  started: string;
  /** Its words, from the first on. */
  command: string;
}

/** The processes of this machine, as its system tells of them. A zombie is none. */
export interface ProcessTable {
  of(pid: number): Told | undefined;
  all(): ReadonlyMap<number, Told>;
  /** Those of these programs that have a word in their environment, whoever started them. */
  having(word: string, programs: readonly string[]): number[];
}

/**
 * The table of this machine: /proc where there is one, and what `ps` says elsewhere.
 *
 * @param proc where /proc is mounted; tests name a folder that is not there (ISTIO_VM_CONFORMANCE_PROC), and so do the
 *   programs that they start
 */
export function processTable(proc = process.env['ISTIO_VM_CONFORMANCE_PROC'] ?? '/proc'): ProcessTable {
  return hasProc(proc) ? procTable(proc) : psTable();
}

/** Whether this machine tells of its processes by files. */
export const hasProc = (proc = process.env['ISTIO_VM_CONFORMANCE_PROC'] ?? '/proc'): boolean =>
  existsSync(join(proc, 'self', 'stat'));

/** The table of Linux. */
export function procTable(proc = '/proc'): ProcessTable {
  const read = (pid: number | string, file: string): string =>
    readFileSync(join(proc, String(pid), file), 'utf8');
  const of = (pid: number): Told | undefined => {
    try {
      const stat = read(pid, 'stat');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
      return {
        parent: Number(fields[1]),
        started: fields[19] ?? '',
        // most who look ask for no words
        get command() {
          return wordsOf(pid);
        },
      };
    } catch {
      return undefined;
    }
  };
  const wordsOf = (pid: number): string => {
    try {
      return read(pid, 'cmdline').replaceAll('\0', ' ').trim();
    } catch {
      return '';
    }
  };
  const ids = (): number[] =>
    readdirSync(proc)
      .filter((name) => /^\d+$/.test(name))
      .map(Number);
  return {
    of,
    all: () =>
      new Map(
        ids().flatMap((pid) => {
          const told = of(pid);
          return told ? [[pid, told] as const] : [];
        }),
      ),
    having: (word, programs) =>
      ids().filter((pid) => {
        try {
          const program = basename(readlinkSync(join(proc, String(pid), 'exe')));
          return read(pid, 'environ').split('\0').includes(word) && programs.includes(program);
        } catch {
          // it has ended, or is not ours to look at
          return false;
        }
      }),
  };
}

/**
 * What ps says to these words. A look is answered before anything else is done, as it is with /proc.
 *
 * @throws Error when there is no ps
 */
export type Ps = (words: readonly string[]) => string;

const ps: Ps = (words) => {
  // a start is told in the words of the locale, and at the time of the zone
  const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC0' };
  const { stdout, error } = spawnSync('ps', words, { env, encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 });
  if (error) throw new Error(`This machine has no /proc, and ps could not be started: ${error.message}`);
  return stdout;
};

/**
 * The table of macOS and the BSDs, of which a start is known to the second. There every option has a heading of its
 * own: what follows a "=" is taken for one.
 */
export function psTable(ask: Ps = ps): ProcessTable {
  const columns = ['pid', 'ppid', 'stat', 'lstart', 'command'].flatMap((name) => ['-o', `${name}=`]);
  const table = (words: readonly string[]): Map<number, Told> =>
    new Map(
      ask([...words, '-ww', ...columns])
        .split('\n')
        .flatMap(rowOf),
    );
  return {
    of: (pid) => table(['-p', String(pid)]).get(pid),
    all: () => table(['-A']),
    // with -E the environment follows the words, where the system lets us see it
    having: (word, programs) =>
      [...table(['-A', '-E'])].flatMap(([pid, { command }]) => {
        const [program = ''] = command.split(' ');
        return programs.includes(basename(program)) && `${command} `.includes(` ${word} `) ? [pid] : [];
      }),
  };
}

function rowOf(line: string): [number, Told][] {
  const [, pid, parent, stat = '', started = '', command = ''] =
    /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\w+\s+\w+\s+\d+\s+[\d:]+\s+\d+)\s+(.*)$/.exec(line) ?? [];
  if (pid === undefined || stat.startsWith('Z')) return [];
  return [[Number(pid), { parent: Number(parent), started: started.replaceAll(/\s+/g, '-'), command }]];
}
