import { cloneImageStore } from '#lib/artifacts/image-store.ts';
import { join } from 'node:path';
import { bring, packed } from '#lib/machines/bring.ts';
import type { Machine } from '#lib/machines/machine.ts';
import type { NodeMachine } from '#lib/machines/node-machine.ts';
import type { Programs } from './lab.ts';
import type { Layer } from './layer.ts';

/** The nodes as namespaces, the VM resumed from its snapshot; none of them knows Kubernetes or Istio yet. */
export const machines: Layer = {
  name: 'machines',
  needs: [],
  title: 'Machines: three nodes and the VM',
  expectedMs: 3000,

  async up(lab, note) {
    // machines of somebody else's were borrowed when the lab was opened
    if (!lab.features.has('node-access')) return machines.check(lab);
    const { vm, nodes, programs } = lab;
    const started: NodeMachine[] = [];
    // a machine that runs is left alone: others may have gone without it
    await Promise.all([
      (async () => {
        if (!(await stands(vm))) await vm.resume(programs.vm.snapshot);
      })(),
      ...nodes.map(async (node) => {
        if (await stands(node)) return;
        const store = node.onHost('/var/lib/containerd');
        if (store !== undefined) await cloneImageStore(programs.imageStore, store);
        await node.start();
        if (store === undefined) started.push(node);
      }),
    ]);
    await furnish(started, programs, note);
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

/** Brings the programs and the images into nodes whose folders the host does not see, unless they have them. */
async function furnish(
  nodes: readonly NodeMachine[],
  { kubernetes, imageStore }: Programs,
  note: (text: string) => void,
): Promise<void> {
  const bringing: readonly (readonly [string, string, string])[] = [
    [kubernetes, '/opt/kubernetes', '/opt/kubernetes/kubelet'],
    [
      join(imageStore, 'root'),
      '/var/lib/containerd',
      '/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db',
    ],
  ];
  for (const [from, to, sign] of bringing) {
    const without = await Promise.all(
      nodes.map(async (node) => ((await node.attempt(['test', '-e', sign])).code === 0 ? [] : [node])),
    );
    if (without.flat().length === 0) continue;
    note(`packing ${to}`);
    await using archive = await packed(from);
    // one after the other: each takes the whole of the way
    for (const node of without.flat()) {
      note(`${to} into ${node.name}, ${String(Math.round(archive.bytes / 1024 ** 2))} MiB`);
      await bring(node, archive.path, to);
    }
  }
}

const stands = async (machine: Machine): Promise<boolean> =>
  machine.run(['true']).then(
    () => true,
    () => false,
  );
