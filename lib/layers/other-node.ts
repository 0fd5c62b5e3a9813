import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { ours } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import { change, type Change } from '#lib/kube/manifest.ts';
import { nodesOf } from '#lib/probes/nodes.ts';
import { ofPrograms, type Lab } from './lab.ts';
import { inForce, orUndone } from './passing.ts';

const lastOf = ({ nodes }: Pick<Lab, 'nodes'>): Lab['nodes'][number] => {
  const last = nodes.at(-1);
  if (!last) throw new Error('The lab has no nodes.');
  return last;
};

const pods = '/etc/cni/net.d';
const aside = '/run/cni-aside';

/** The last worker without the configuration of its pod network, of which its kubelet says that it is not Ready. */
export async function withoutPodNetwork(lab: Lab): Promise<Change> {
  ofPrograms(lab.distribution, 'the configuration of its pod network is taken away');
  const node = lastOf(lab);
  const becomes = async (ready: boolean): Promise<void> => {
    await until(
      `${node.name} is ${ready ? '' : 'not '}Ready`,
      async () => (await nodesOf(lab.kube)).find(({ name }) => name === node.name)?.ready ?? 'no such node',
      (status) => (status === 'True') === ready,
      { within: ours.nodeReady, every: 200 },
    );
  };
  // the files are moved, not their folder, which is being watched
  await node.run(['bash', '-c', `mkdir -p ${aside} && mv ${pods}/*.conflist ${aside}`]);
  const made = change(`${node.name} without its pod network`, async () => {
    await node.run(['bash', '-c', `mv ${aside}/*.conflist ${pods}`]);
  });
  return inForce(made, async (without) => becomes(!without));
}

/** The last worker as if its kubelet were of another version; the kubelet says what it is as soon as it goes on. */
export async function otherKubelet(lab: Lab, version: string): Promise<Change> {
  ofPrograms(lab.distribution, 'its kubelet is held');
  const node = lastOf(lab);
  const before = (await nodesOf(lab.kube)).find(({ name }) => name === node.name)?.version ?? '';
  const signal = async (name: string): Promise<void> => {
    await node.run(['pkill', `--signal=${name}`, '--exact', 'kubelet']);
  };
  const tell = async (kubeletVersion: string): Promise<void> => {
    const patch = JSON.stringify({ status: { nodeInfo: { kubeletVersion } } });
    await lab.kubectl(['patch', 'node', node.name, '--subresource=status', '--type=merge', '-p', patch]);
  };
  await signal('STOP');
  const made = change(`${node.name} with the kubelet of ${version}`, async () => {
    await tell(before).finally(async () => signal('CONT'));
  });
  await orUndone(made, async () => tell(version));
  return made;
}

/** The last worker with another limit of its memory. */
export async function otherMemory(lab: Lab, memoryMiB: number): Promise<Change> {
  const { name } = lastOf(lab);
  const group = `istio-vm-conformance/${lab.name}/${name}`;
  const file = [
    `/sys/fs/cgroup/memory/${group}/memory.limit_in_bytes`,
    `/sys/fs/cgroup/${group}/memory.max`,
  ].find((one) => existsSync(one));
  if (!file) throw new Error(`There is no control group ${group} with a limit of its memory.`);
  const before = await readFile(file, 'utf8');
  await writeFile(file, String(memoryMiB * 1024 * 1024));
  return change(`${name} with ${String(memoryMiB)} MiB`, async () => writeFile(file, before));
}
