import { exists } from '#lib/base/files.ts';
import type { VmMachine } from '#lib/machines/local/vm.ts';
import type { Machine } from '#lib/machines/machine.ts';
import type { NodeMachine } from '#lib/machines/node-machine.ts';
import { labKubeconfig } from '#lib/distribution/kubeconfig.ts';
import { keepTopology, knownTopology, moved, type Topology } from '#lib/machines/topology.ts';
import type { Lab } from './lab.ts';
import type { Layer } from './layer.ts';
import { installPackage } from './workload.ts';

/** The nodes as namespaces, the VM (unless a lab has none) resumed from its snapshot; none of them knows Kubernetes or Istio yet. */
export const machines: Layer = {
  name: 'machines',
  needs: [],
  title: 'Machines',
  expectedMs: 3000,

  async up(lab, note) {
    if (lab.features.has('vm') && !lab.features.has('own-vm')) {
      // it was borrowed when the lab was opened; in a snapshot of our own the package would be installed already
      note("installing the sidecar's package");
      await installPackage(lab);
      return;
    }
    const { nodes, distribution } = lab;
    const started: NodeMachine[] = [];
    // a machine that runs is left alone: others may have gone without it
    await Promise.all([
      (async () => {
        for (const vm of vmsOf(lab)) if (!(await stands(vm))) await vm.anew();
      })(),
      ...nodes.map(async (node) => {
        if (await stands(node)) return;
        await distribution.lay(node);
        await node.start();
        started.push(node);
      }),
    ]);
    const unseen = started.filter((node) => node.onHost('/') === undefined);
    await located(lab);
    await distribution.furnish(unseen, note);
  },

  async check(lab) {
    const machines = [...(lab.features.has('node-access') ? lab.nodes : []), ...vmsOf(lab)];
    const running = await Promise.all(machines.map(stands));
    const off = machines.filter((_, i) => !running[i]).map(({ name }) => name);
    if (off.length > 0) throw new Error(`${off.join(', ')} ${off.length === 1 ? 'does' : 'do'} not run`);
    if (lab.features.has('own-vm')) await stayed(lab);
  },

  async down(lab) {
    await Promise.all([...lab.nodes, ...vmsOf(lab)].map(async (machine) => machine.stop()));
  },
};

/** The external VM of a lab, unless it has none. */
const vmsOf = (lab: Lab): VmMachine[] => (lab.features.has('vm') ? [lab.vm] : []);

/**
 * Writes down where the machines are. A machine may come up with another address than before.
 *
 * @throws Error when it is that of a node, and the cluster was made for the one before
 */
async function located(lab: Lab): Promise<void> {
  const [before, now] = [knownTopology(lab), await lab.locate()];
  const others = before && exists(labKubeconfig(lab)) ? moved(before.nodes, now.nodes) : [];
  if (others.length > 0)
    throw new Error(
      `${others.join(', ')} when the cluster was made, whose parts find each other by their addresses; \`npm run lab -- up --recreate\` begins anew.`,
    );
  await keepTopology(lab, now);
}

/** @throws Error that names the machines which have another address than when they came up */
async function stayed(lab: Lab): Promise<void> {
  const everyone = ({ nodes, vm }: Topology): Topology['nodes'] => ({ ...nodes, [lab.vm.name]: vm });
  const others = moved(everyone(lab.topology), everyone(await lab.locate()));
  if (others.length > 0) throw new Error(others.join(', '));
}

const stands = async (machine: Machine): Promise<boolean> =>
  machine.run(['true']).then(
    () => true,
    () => false,
  );
