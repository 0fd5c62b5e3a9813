import { cloneImageStore } from '#lib/artifacts/image-store.ts';
import { join } from 'node:path';
import type { Machine } from '#lib/machines/machine.ts';
import type { Layer } from './layer.ts';

/** The nodes as namespaces, the VM resumed from its snapshot; none of them knows Kubernetes or Istio yet. */
export const machines: Layer = {
  name: 'machines',
  needs: [],
  title: 'Machines: three nodes and the VM',
  expectedMs: 3000,

  async up(lab) {
    const { vm, nodes, programs } = lab;
    // a machine that runs is left alone: others may have gone without it
    await Promise.all([
      (async () => {
        if (!(await stands(vm))) await vm.resume(programs.vm.snapshot);
      })(),
      ...nodes.map(async (node) => {
        if (await stands(node)) return;
        await cloneImageStore(programs.imageStore, join(node.dir, 'var/lib/containerd'));
        await node.start();
      }),
    ]);
  },

  async check({ nodes, vm }) {
    const machines = [...nodes, vm];
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
