import { allThere } from '#lib/kube/manifest.ts';
import { nodesReady, startCluster } from '#lib/distribution/upstream.ts';
import { measured } from './lab.ts';
import type { Layer } from './layer.ts';

/** Kubernetes on the machines, with DNS, the policy engine and the load balancer. */
export const cluster: Layer = {
  name: 'cluster',
  needs: ['machines'],
  title: 'Cluster: one control plane, two workers',
  expectedMs: 6000,

  async up(lab) {
    const kube = await startCluster(lab.local, lab.nodes, lab.programs.kubernetes);
    await nodesReady(kube, lab.nodes.length);
    const version = JSON.parse(await kube.raw('/version')) as { gitVersion: string };
    await measured(lab.dir, { kubernetes: version.gitVersion });
  },

  async check({ kube, nodes }) {
    const named = nodes.map(({ name }) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name } }));
    await allThere(kube, named);
  },

  async down({ nodes }) {
    for (const node of nodes) await node.restart();
  },
};
