import type { Machine } from './machine.ts';
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
  /** Starts a program in the background; output goes to /var/log/<name>.log, its process id to /run/<name>.pid. */
  daemon(name: string, words: readonly string[], env?: Record<string, string>): Promise<void>;
  /** Ends such a program with a signal and waits until it is gone; it may already be. */
  endDaemon(name: string, signal?: 'TERM' | 'KILL'): Promise<void>;
}

/** What every node has of it, however it is entered: each as words for a shell in the node. */
export const inNode = {
  /** The PATH that finds the Kubernetes programs. */
  path: '/opt/kubernetes:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  daemon: (name: string, words: readonly string[]): string[] => {
    const shell = `echo $$ >/run/${name}.pid; exec "$@" >>/var/log/${name}.log 2>&1 </dev/null`;
    return ['setsid', '-f', 'sh', '-c', `mkdir -p /var/log; ${shell}`, '-', ...words];
  },
  endDaemon: (name: string, signal: 'TERM' | 'KILL'): string[] => {
    const gone = `pid=$(cat /run/${name}.pid) || exit 0; kill -${signal} $pid; while kill -0 $pid; do read -rt 0.05 <> <(:); done`;
    return ['bash', '-c', `{ ${gone}; rm -f /run/${name}.pid; } 2>/dev/null; exit 0`];
  },
};
