import { programOf } from '#lib/base/ended.ts';
import type { NodeMachine } from '#lib/machines/node-machine.ts';
import { programsOn, type Distribution } from './distribution.ts';

/** A program of Kubernetes that was started on a node and does not run, although nobody stopped it. */
export interface Died {
  node: NodeMachine;
  program: string;
}

type Programs = Pick<Distribution, 'programs'>;

/**
 * The programs of a distribution that ended on the nodes and are not back: nothing starts them again there, or they
 * have just ended once more.
 */
export async function died(distribution: Programs, nodes: readonly NodeMachine[]): Promise<Died[]> {
  const found = await Promise.all(
    nodes.map(async (node) => {
      const states = await node.daemons();
      return programsOn(distribution, node)
        .filter(({ name }) => states.get(name)?.state === 'ended')
        .map(({ name }) => ({ node, program: name }));
    }),
  );
  return found.flat();
}

/** Such as "kubelet on k3s-worker-1". */
export const named = ({ node, program }: Died): string => programOf({ node: node.name, program });

/** Starts again what died. */
export async function revive({ programs }: Programs, all: readonly Died[]): Promise<void> {
  for (const { name, start } of programs)
    await Promise.all(all.filter(({ program }) => program === name).map(async ({ node }) => start(node)));
}
