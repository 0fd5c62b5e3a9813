import { ours } from '#lib/base/deadlines.ts';
import { raisePatience } from '#lib/base/patience.ts';
import { say } from '#lib/base/progress.ts';
import { until } from '#lib/base/until.ts';
import { kubeClient, type Kube, type Resource } from '#lib/kube/client.ts';
import type { LocalLab } from '#lib/machines/local/lab.ts';
import type { NodeMachine } from '#lib/machines/node-machine.ts';
import { hostKubeconfig } from './kubeconfig.ts';

/** The nodes among these that do not have a file. */
export async function nodesWithout(nodes: readonly NodeMachine[], file: string): Promise<NodeMachine[]> {
  const without = nodes.map(async (node) =>
    (await node.attempt(['test', '-e', file])).code === 0 ? [] : [node],
  );
  return (await Promise.all(without)).flat();
}

/**
 * Waits until the API server calls itself ready; what it took more than on the reference machine raises the patience.
 *
 * @param since when it was started, and how long it takes from there on the reference machine, in milliseconds
 * @returns the way to it that the host takes
 */
export async function apiReady(
  lab: Pick<LocalLab, 'dir'>,
  since?: { startedAt: number; expectedMs: number },
): Promise<Kube> {
  const kube = kubeClient(hostKubeconfig(lab));
  await until(
    'the API server is ready',
    async () => kube.raw('/readyz'),
    (answer) => answer === 'ok',
    { within: ours.apiReady, every: 50 },
  );
  if (since) await learnFrom(lab.dir, performance.now() - since.startedAt, since.expectedMs);
  return kube;
}

async function learnFrom(dir: string, took: number, expected: number): Promise<void> {
  const raised = await raisePatience(dir, 'the API server', took, expected);
  if (raised) say(`Patience ${String(raised.factor)} from now on: ${raised.why}.`);
}

/** Waits until every node is Ready. */
export async function nodesReady(kube: Kube, count: number): Promise<void> {
  await until(
    `all ${String(count)} nodes are Ready (keep the lab with LAB_KEEP=on-failure, and \`npm run lab -- logs\` tells why)`,
    async () =>
      (await kube.list('v1', 'Node')).map((node) => `${node.metadata?.name ?? ''} ${readyOf(node)}`),
    (seen) => seen.length === count && seen.every((one) => one.endsWith(' True')),
    { within: ours.nodesReady, every: 200 },
  );
}

/** The status of the condition Ready: True, False or Unknown. */
function readyOf({ status }: Resource): string {
  const conditions = (status?.['conditions'] ?? []) as { type: string; status: string }[];
  return conditions.find(({ type }) => type === 'Ready')?.status ?? 'Unknown';
}
