import { until, seconds } from '#lib/base/until.ts';
import { nodesReady, readyOf, startCluster } from '#lib/distribution/upstream.ts';
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
    await until(
      'all nodes are Ready',
      async () => (await kube.list('v1', 'Node')).map(readyOf),
      (seen) => seen.length === nodes.length && seen.every((ready) => ready === 'True'),
      { within: seconds(10) },
    );
  },

  async down({ nodes }) {
    for (const node of nodes) await node.restart();
  },
};
