import type { NodeMachine } from '#lib/machines/node-machine.ts';
import type { Distribution } from './distribution.ts';

/** A program of Kubernetes that was started on a node and is gone, although nobody stopped it. */
export interface Died {
  node: NodeMachine;
  program: string;
}

/** What is stopped takes its pid file with it; what dies leaves it. */
const script = 'for file in /run/*.pid; do [ -d "/proc/$(cat "$file")" ] || basename "$file" .pid; done';

type Programs = Pick<Distribution, 'programs'>;

/** The programs of a distribution that died on the nodes: no systemd starts them again. */
export async function died({ programs }: Programs, nodes: readonly NodeMachine[]): Promise<Died[]> {
  const found = await Promise.all(
    nodes.map(async (node) => {
      const gone = new Set((await node.run(['bash', '-c', script])).stdout.split('\n'));
      return programs.filter(([name]) => gone.has(name)).map(([program]) => ({ node, program }));
    }),
  );
  return found.flat();
}

/** Such as "kubelet on k3s-worker-1". */
export const named = ({ node, program }: Died): string => `${program} on ${node.name}`;

/** Starts again what died. */
export async function revive({ programs }: Programs, all: readonly Died[]): Promise<void> {
  for (const [name, start] of programs)
    await Promise.all(all.filter(({ program }) => program === name).map(async ({ node }) => start(node)));
}
