import type { NodeMachine } from '#lib/machines/node-machine.ts';
import { controlPlane, startControlPlane } from './control-plane.ts';
import { startContainerd, startKubelet, startKubeProxy } from './node-services.ts';

/** A program of Kubernetes that was started on a node and is gone, although nobody stopped it. */
export interface Died {
  node: NodeMachine;
  program: string;
}

type Start = (node: NodeMachine) => Promise<void>;

/** In the order in which they need each other. */
const programs: readonly [string, Start][] = [
  ...Object.keys(controlPlane).map((name): [string, Start] => [
    name,
    async (node) => startControlPlane(node, name),
  ]),
  ['containerd', startContainerd],
  ['kubelet', startKubelet],
  ['kube-proxy', startKubeProxy],
];

/** What is stopped takes its pid file with it; what dies leaves it. */
const script = 'for file in /run/*.pid; do [ -d "/proc/$(cat "$file")" ] || basename "$file" .pid; done';

/** The programs that died on the nodes: no systemd starts them again. */
export async function died(nodes: readonly NodeMachine[]): Promise<Died[]> {
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
export async function revive(all: readonly Died[]): Promise<void> {
  for (const [name, start] of programs)
    await Promise.all(all.filter(({ program }) => program === name).map(async ({ node }) => start(node)));
}
