import { attempt, type Output, type RunOptions } from '#lib/base/command.ts';
import { join } from 'node:path';

/** Somewhere a command can be run from: a pod, the VM, a node, or a bystander on the lab's network. */
export interface Place {
  readonly name: string;
  attempt(words: readonly string[], options?: RunOptions): Promise<Output>;
}

/** Such a place whose files can be read one by one. */
export interface PlaceWithFiles extends Place {
  /** The content of a file, from a byte on. */
  read(path: string, from?: number): Promise<string>;
}

/** The least of a lab that reaching into pods takes. */
export interface Reach {
  /** Kubeconfig for the host. */
  readonly kubeconfig: string;
  readonly programs: { readonly kubernetes: string };
}

/** A container of a pod (its first one unless told), by `kubectl exec`. */
export function pod(lab: Reach, namespace: string, name: string, container?: string): Place {
  const kubectl = join(lab.programs.kubernetes, 'kubectl');
  const into = [
    'exec',
    '-i',
    '-n',
    namespace,
    name,
    ...(container === undefined ? [] : ['-c', container]),
    '--',
  ];
  return {
    name: `pod ${namespace}/${name}`,
    attempt: async (words, options = {}) =>
      attempt([kubectl, ...into, ...words], {
        ...options,
        // through websockets the API server now and then ends an exec with "close 1006"; what is lost either way: whole.ts
        env: { ...options.env, KUBECONFIG: lab.kubeconfig, KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false' },
      }),
  };
}
