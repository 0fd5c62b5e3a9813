import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeAtomic } from '#lib/base/files.ts';
import { seconds, until } from '#lib/base/until.ts';
import { kubeClient, type Kube, type Resource } from '#lib/kube/client.ts';
import { manifest } from '#lib/kube/manifest.ts';
import type { LocalLab } from '#lib/machines/local/lab.ts';
import { bring, packed } from '#lib/machines/bring.ts';
import type { NodeMachine } from '#lib/machines/node-machine.ts';
import { networks } from '#lib/machines/local/topology.ts';
import { startControlPlane } from './control-plane.ts';
import { startControllers } from './start-controllers.ts';
import { forwardApi, hostKubeconfig, labKubeconfig } from './kubeconfig.ts';
import { configureNode, masquerade, startContainerd, startKubelet, startKubeProxy } from './node-services.ts';
import { makePki } from './pki.ts';

export const kubernetesVersion = 'v1.34.4';

/**
 * Puts an upstream cluster on machines that run: control plane, nodes, DNS, policy engine and load balancer.
 * Returns once the API answers and everything is started; `nodesReady` waits for the nodes.
 *
 * @param programs folder of the Kubernetes programs on the host
 */
export async function startCluster(
  lab: LocalLab,
  nodes: readonly NodeMachine[],
  programs: string,
): Promise<Kube> {
  const master = nodes.find(({ plan }) => plan.role === 'control-plane');
  if (!master) throw new Error('A cluster needs a control plane node.');
  const seen = master.onHost('/var/kubernetes');
  const secrets = seen ?? join(lab.dir, 'kubernetes');
  const [port] = await Promise.all([
    forwardApi(lab),
    makePki(
      secrets,
      programs,
      kubernetesVersion,
      nodes.map(({ plan }) => plan),
    ),
    startControlPlane(master, 'etcd'),
    ...nodes.map(async (node) => {
      await configureNode(node, lab.name);
      await Promise.all([startContainerd(node), masquerade(node)]);
    }),
  ]);
  if (seen === undefined) {
    await using archive = await packed(secrets);
    await bring(master, archive.path, '/var/kubernetes');
  }
  const admin = readFileSync(join(secrets, 'conf/super-admin.conf'), 'utf8');
  await Promise.all([
    writeAtomic(labKubeconfig(lab), admin, 0o600),
    writeAtomic(hostKubeconfig(lab), admin.replace(networks.api, `https://127.0.0.1:${String(port)}`), 0o600),
    ...['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'].map(async (one) =>
      startControlPlane(master, one),
    ),
    ...nodes.map(async (node) => handCredentials(node, secrets)),
  ]);
  await startControllers(
    lab,
    nodes.map(({ name }) => name),
  );

  const kube = kubeClient(hostKubeconfig(lab));
  await until(
    'the API server is ready',
    async () => kube.raw('/readyz'),
    (answer) => answer === 'ok',
    {
      within: seconds(120),
      every: 50,
    },
  );
  await Promise.all(nodes.map(async (node) => register(kube, node)));
  await Promise.all(nodes.flatMap((node) => [startKubelet(node), startKubeProxy(node)]));
  const documents = ['kubeadm-admins', 'coredns'].flatMap((name) => manifest(`01-cluster/${name}.yaml`));
  for (const document of documents) await kube.apply(document);
  return kube;
}

/** Waits until every node is Ready. */
export async function nodesReady(kube: Kube, count: number): Promise<void> {
  await until(
    `all ${String(count)} nodes are Ready (keep the lab with LAB_KEEP=on-failure, and \`npm run lab -- logs\` tells why)`,
    async () =>
      (await kube.list('v1', 'Node')).map((node) => `${node.metadata?.name ?? ''} ${readyOf(node)}`),
    (seen) => seen.length === count && seen.every((one) => one.endsWith(' True')),
    { within: seconds(120), every: 200 },
  );
}

/** The status of the condition Ready: True, False or Unknown. */
function readyOf({ status }: Resource): string {
  const conditions = (status?.['conditions'] ?? []) as { type: string; status: string }[];
  return conditions.find(({ type }) => type === 'Ready')?.status ?? 'Unknown';
}

async function handCredentials(node: NodeMachine, secrets: string): Promise<void> {
  const file = (name: string): string => readFileSync(join(secrets, name), 'utf8');
  await node.write('/etc/kubernetes/ca.crt', file('pki/ca.crt'));
  await node.write('/etc/kubernetes/kubelet.conf', file(`conf/kubelet-${node.name}.conf`), { mode: 0o600 });
  await node.write('/etc/kubernetes/kube-proxy.conf', file('conf/kube-proxy.conf'), { mode: 0o600 });
}

/** kubelet may not give its node a role or a pod network, so the node is there before it. */
async function register(kube: Kube, { plan }: NodeMachine): Promise<void> {
  const roles =
    plan.role === 'control-plane'
      ? { 'node-role.kubernetes.io/control-plane': 'true', 'node-role.kubernetes.io/master': 'true' }
      : {};
  await kube.apply({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: plan.name, labels: { 'kubernetes.io/hostname': plan.name, ...roles } },
    spec: { podCIDR: plan.podNetwork, podCIDRs: [plan.podNetwork] },
  });
}
