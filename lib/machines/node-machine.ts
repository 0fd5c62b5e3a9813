import type { Machine } from './machine.ts';
import type { ProgramState } from './supervised.ts';
import type { NodePlan } from './topology.ts';

/** A machine that a cluster is put on: it can also run programs in the background. */
export interface NodeMachine extends Machine {
  readonly plan: NodePlan;
  /** Its folder on the host. */
  readonly dir: string;
  /** Where the host finds a folder of the node, when it does: what is laid there need not be brought into the machine. */
  onHost(path: string): string | undefined;
  /** Words that put a command into the node. */
  enter(): string[];
  /**
   * Starts a program in the background, with its output in /var/log/<name>.log. On a local node a supervisor starts it
   * again whenever it ends by itself, and writes that down (`ended.ts`).
   */
  daemon(name: string, words: readonly string[], env?: Record<string, string>): Promise<void>;
  /**
   * Stops such a program with a signal and waits until it is gone; it may already be. It stays stopped until it is
   * started, whatever the signal. What is to come back by itself is killed by its process id instead.
   */
  endDaemon(name: string, signal?: 'TERM' | 'KILL'): Promise<void>;
  /** Whether something starts again what ends by itself, and writes it down. */
  readonly supervised: boolean;
  /** The programs that were started here, by name. What was stopped may be missing. */
  daemons(): Promise<ReadonlyMap<string, { state: ProgramState; pid?: number }>>;
}

/** What every node has of it, however it is entered. */
export const inNode = {
  /** The PATH that finds the Kubernetes programs. */
  path: '/opt/kubernetes:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
};

/**
 * Programs in the background of a machine that has no supervisor of ours: each as words for a shell in it. Nothing starts
 * them again; what is stopped takes its process id file with it, and what ends by itself leaves it.
 */
export const byPidFile = {
  daemon: (name: string, words: readonly string[]): string[] => {
    const shell = `echo $$ >/run/${name}.pid; exec "$@" >>/var/log/${name}.log 2>&1 </dev/null`;
    return ['setsid', '-f', 'sh', '-c', `mkdir -p /var/log; ${shell}`, '-', ...words];
  },
  endDaemon: (name: string, signal: 'TERM' | 'KILL'): string[] => {
    const gone = `pid=$(cat /run/${name}.pid) || exit 0; kill -${signal} $pid; while kill -0 $pid; do read -rt 0.05 <> <(:); done`;
    return ['bash', '-c', `{ ${gone}; rm -f /run/${name}.pid; } 2>/dev/null; exit 0`];
  },
  daemons: (): string[] => {
    const each =
      'pid=$(cat "$file"); if [ -d "/proc/$pid" ]; then echo "$name running $pid"; else echo "$name ended"; fi';
    return [
      'bash',
      '-c',
      `for file in /run/*.pid; do [ -e "$file" ] || continue; name=$(basename "$file" .pid); ${each}; done`,
    ];
  },
};
