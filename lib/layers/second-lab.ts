import { messageOf } from '#lib/base/errors.ts';
import { settings } from '#lib/base/settings.ts';
import { change, type Change } from '#lib/kube/manifest.ts';
import { kubeClient } from '#lib/kube/client.ts';
import { hostKubeconfig } from '#lib/distribution/kubeconfig.ts';
import { adoptLab, closeLab, findLab } from '#lib/machines/local/lab.ts';
import { runningNodes } from '#lib/machines/local/running.ts';
import { runningInstances } from '#lib/machines/multipass/running.ts';
import { nodePlans } from '#lib/machines/topology.ts';
import { nodesOf } from '#lib/probes/nodes.ts';
import type { Lab } from './lab.ts';
import { labCommand } from './lab-command.ts';
import { orUndone } from './passing.ts';

/** A cluster as it stands: who its nodes are, and which cluster it is. */
export interface Standing {
  /** Its machines that have processes. */
  machines: string[];
  /** As "<name> <status of Ready>". */
  nodes: string[];
  /** The uid of namespace kube-system, which is another one in another cluster. */
  uid: string | undefined;
}

/** What a command of the lab came to. */
export interface Commanded {
  code: number;
  before: Standing | undefined;
  after: Standing | undefined;
  /** What the API server of the cluster that stood before says afterwards. */
  formerApi: string;
}

/** A lab beside the one that claims stand on, of a cluster alone: what ends or renews a cluster is tried on it. */
export interface SecondLab extends Change {
  /** Runs a command of `npm run lab` for it, and looks at the cluster before and after. @throws Error when it fails */
  command(words: readonly string[]): Promise<void>;
  /** What the last command came to. */
  last(): Commanded;
  stands(): Promise<boolean>;
}

/** Brings up a second lab. It is gone with the undo, and when we are killed. */
export async function secondLab({ name: first }: Pick<Lab, 'name'>): Promise<SecondLab> {
  const name = `${first.slice(0, 22)}-2`;
  let last: Commanded | undefined;
  const stands = async (): Promise<boolean> => (await findLab(name)) !== undefined;

  const command = async (words: readonly string[]): Promise<void> => {
    const before = await standing(name);
    const { code, stdout, stderr } = await labCommand(words, { LAB_NAME: name, LAB_KEEP: 'never' });
    const lab = await findLab(name);
    if (lab) await adoptLab(lab.dir);
    if (code !== 0)
      throw new Error(`npm run lab -- ${words.join(' ')} ended with ${String(code)}: ${stderr || stdout}`);
    last = {
      code,
      before: before?.seen,
      after: (await standing(name))?.seen,
      formerApi: (await before?.answer?.()) ?? 'there was none',
    };
  };
  const removing = change(`lab ${name}`, async () => closeLab(name));
  await orUndone(removing, async () => {
    await command(['up', 'cluster']);
  });
  return {
    ...removing,
    command,
    stands,
    last: () => {
      if (!last) throw new Error(`No command was run for lab ${name}.`);
      return last;
    },
  };
}

async function machinesThatRun(name: string): Promise<string[]> {
  const here = settings();
  if (here.lab.provider !== 'multipass') return runningNodes(name);
  const nodes = nodePlans(here).map((plan) => plan.name);
  return runningInstances(name, nodes);
}

async function standing(
  name: string,
): Promise<{ seen: Standing; answer?: () => Promise<string> } | undefined> {
  const lab = await findLab(name);
  const machines = await machinesThatRun(name);
  if (!lab && machines.length === 0) return undefined;
  if (!lab) return { seen: { machines, nodes: [], uid: undefined } };
  const kube = kubeClient(hostKubeconfig(lab));
  const [nodes, system] = await Promise.all([
    nodesOf(kube),
    kube.get({ apiVersion: 'v1', kind: 'Namespace', name: 'kube-system' }),
  ]);
  return {
    seen: {
      machines,
      nodes: nodes.map((node) => `${node.name} ${node.ready}`),
      uid: system?.metadata?.uid,
    },
    answer: async () => kube.raw('/version').then(() => 'answers', messageOf),
  };
}
