import { allThere } from '#lib/kube/manifest.ts';
import { died, named, revive } from '#lib/distribution/died.ts';
import { programsStay } from '#lib/distribution/programs-stay.ts';
import { nodesReady } from '#lib/distribution/ready.ts';
import { controllers, controllersOf } from '#lib/distribution/start-controllers.ts';
import type { Kube } from '#lib/kube/client.ts';
import { measured, type Lab } from './lab.ts';
import type { Layer } from './layer.ts';

/** Kubernetes on the machines, of the lab's distribution: with DNS, the policy engine and the load balancer. */
export const cluster: Layer = {
  name: 'cluster',
  needs: ['machines'],
  title: 'Cluster: one control plane, two workers',
  expectedMs: 6000,

  async up(lab) {
    const kube = lab.features.has('own-cluster') ? await started(lab) : lab.kube;
    const version = JSON.parse(await kube.raw('/version')) as { gitVersion: string };
    await measured(lab.dir, { kubernetes: version.gitVersion });
  },

  async check(lab) {
    const { kube } = lab;
    if (!lab.features.has('own-cluster')) {
      await kube.raw('/version');
      return;
    }
    const { nodes, distribution } = lab;
    const gone = await died(distribution, nodes);
    if (gone.length > 0) throw new Error(`died: ${gone.map(named).join(', ')}`);
    if ((await controllersOf(lab.local))?.state === 'ended')
      throw new Error(`died: ${controllers} of the lab`);
    const documents = nodes.map(({ name }) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } }));
    await allThere(kube, documents);
  },

  async down({ nodes }) {
    for (const node of nodes) await node.restart();
  },
};

/** Starts the cluster, or what of it has died, and waits for its nodes. */
async function started(lab: Lab): Promise<Kube> {
  const { distribution, nodes } = lab;
  const gone = await died(distribution, nodes);
  const kube = gone.length === 0 ? await distribution.start(lab.local, nodes) : lab.kube;
  await revive(distribution, gone);
  await nodesReady(kube, nodes.length);
  await programsStay(lab.local, distribution, nodes);
  return kube;
}
