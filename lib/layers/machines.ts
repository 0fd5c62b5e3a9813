import type { Machine } from '#lib/machines/machine.ts';
import type { NodeMachine } from '#lib/machines/node-machine.ts';
import type { Layer } from './layer.ts';
import { installPackage } from './workload.ts';

/** The nodes as namespaces, the VM resumed from its snapshot; none of them knows Kubernetes or Istio yet. */
export const machines: Layer = {
  name: 'machines',
  needs: [],
  title: 'Machines: three nodes and the VM',
  expectedMs: 3000,

  async up(lab, note) {
    if (!lab.features.has('own-vm')) {
      // it was borrowed when the lab was opened; in a snapshot of our own the package would be installed already
      note("installing the sidecar's package");
      await installPackage(lab);
      return;
    }
    const { vm, nodes, programs, distribution } = lab;
    const started: NodeMachine[] = [];
    // a machine that runs is left alone: others may have gone without it
    await Promise.all([
      (async () => {
        if (!(await stands(vm))) await vm.resume(programs.vm.snapshot);
      })(),
      ...nodes.map(async (node) => {
        if (await stands(node)) return;
        await distribution.lay(node);
        await node.start();
        started.push(node);
      }),
    ]);
    const unseen = started.filter((node) => node.onHost('/') === undefined);
    await distribution.furnish(unseen, note);
  },

  async check(lab) {
    const machines = lab.features.has('node-access') ? [...lab.nodes, lab.vm] : [lab.vm];
    const running = await Promise.all(machines.map(stands));
    const off = machines.filter((_, i) => !running[i]).map(({ name }) => name);
    if (off.length > 0) throw new Error(`${off.join(', ')} ${off.length === 1 ? 'does' : 'do'} not run`);
  },

  async down({ nodes, vm }) {
    await Promise.all([...nodes.map(async (node) => node.stop()), vm.stop()]);
  },
};

const stands = async (machine: Machine): Promise<boolean> =>
  machine.run(['true']).then(
    () => true,
    () => false,
  );
