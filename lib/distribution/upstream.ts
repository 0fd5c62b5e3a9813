import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Kube } from '#lib/kube/client.ts';
import { manifest } from '#lib/kube/manifest.ts';
import { cloneImageStore } from '#lib/artifacts/image-store.ts';
import type { LocalLab } from '#lib/machines/local/lab.ts';
import { bring, packed } from '#lib/machines/bring.ts';
import type { NodeMachine } from '#lib/machines/node-machine.ts';
import { topologyOf } from '#lib/machines/topology.ts';
import { controlPlane, startControlPlane } from './control-plane.ts';
import { controlPlaneOf, type Distribution, type Program } from './distribution.ts';
import { startControllers } from './start-controllers.ts';
import { forwardApi, writeKubeconfigs } from './kubeconfig.ts';
import { configureNode, masquerade, startContainerd, startKubelet, startKubeProxy } from './node-services.ts';
import { makePki } from './pki.ts';
import { apiReady, nodesWithout } from './ready.ts';

const kubernetesVersion = 'v1.34.4';

/** From its start until the API server is ready, on the reference machine, in milliseconds. */
const apiServerMs = 3000;

/** Where the upstream programs and the images come from. */
interface Parts {
  /** Folder of the Kubernetes programs on the host. */
  programs: string;
  /** What `imageStore` returned. */
  imageStore: string;
}

/** Kubernetes from its own module, with CoreDNS, and a policy engine and a load balancer of this project. */
export const upstream = ({ programs, imageStore }: Parts): Distribution => ({
  name: 'upstream',
  version: kubernetesVersion,
  // what claims are told to be without elsewhere: parts that are programs of their own, and registries of a node
  features: ['upstream', 'klipper', 'netpol-engine', 'node-registries'],
  signingKey: '/var/kubernetes/pki/sa.key',
  programs: [
    ...Object.keys(controlPlane).map((name): Program => ({
      name,
      on: 'control-plane',
      start: async (node) => startControlPlane(node, name),
    })),
    { name: 'containerd', start: startContainerd },
    { name: 'kubelet', start: startKubelet },
    { name: 'kube-proxy', start: startKubeProxy },
  ],
  lay: async (node) => {
    const store = node.onHost(runtime);
    if (store !== undefined) await cloneImageStore(imageStore, store);
  },
  furnish: async (nodes, note) => furnish(nodes, { programs, imageStore }, note),
  start: async (lab, nodes) => startCluster(lab, nodes, programs),
});

/** Where containerd has its images. */
const runtime = '/var/lib/containerd';

async function furnish(
  nodes: readonly NodeMachine[],
  { programs, imageStore }: Parts,
  note: (text: string) => void,
): Promise<void> {
  const bringing: readonly (readonly [string, string, string])[] = [
    [programs, '/opt/kubernetes', '/opt/kubernetes/kubelet'],
    [join(imageStore, 'root'), runtime, `${runtime}/io.containerd.metadata.v1.bolt/meta.db`],
  ];
  for (const [from, to, sign] of bringing) {
    const without = await nodesWithout(nodes, sign);
    if (without.length === 0) continue;
    note(`packing ${to}`);
    await using archive = await packed(from);
    // one after the other: each takes the whole of the way
    for (const node of without) {
      note(`${to} into ${node.name}, ${String(Math.round(archive.bytes / 1024 ** 2))} MiB`);
      await bring(node, archive.path, to);
    }
  }
}

async function startCluster(lab: LocalLab, nodes: readonly NodeMachine[], programs: string): Promise<Kube> {
  const master = controlPlaneOf(nodes);
  const seen = master.onHost('/var/kubernetes');
  const secrets = seen ?? join(lab.dir, 'kubernetes');
  const [port] = await Promise.all([
    forwardApi(lab),
    makePki(
      secrets,
      programs,
      kubernetesVersion,
      nodes.map(({ plan }) => plan),
      new URL(topologyOf(lab).api),
    ),
    startControlPlane(master, 'etcd'),
    ...nodes.map(async (node) => {
      await configureNode(node);
      await Promise.all([startContainerd(node), masquerade(node)]);
    }),
  ]);
  if (seen === undefined) {
    await using archive = await packed(secrets);
    await bring(master, archive.path, '/var/kubernetes');
  }
  const admin = readFileSync(join(secrets, 'conf/super-admin.conf'), 'utf8');
  const startedAt = performance.now();
  await Promise.all([
    writeKubeconfigs(lab, admin, port),
    startControlPlane(master, 'kube-apiserver'),
    ...nodes.map(async (node) => handCredentials(node, secrets)),
  ]);
  await startControllers(
    lab,
    nodes.map(({ name }) => name),
  );

  const kube = await apiReady(lab, { startedAt, expectedMs: apiServerMs });
  await Promise.all([
    // these end when the API server is not ready after 10 s, which nothing sets
    ...['kube-controller-manager', 'kube-scheduler'].map(async (one) => startControlPlane(master, one)),
    ...nodes.map(async (node) => register(kube, node)),
  ]);
  await Promise.all(nodes.flatMap((node) => [startKubelet(node), startKubeProxy(node)]));
  const documents = ['kubeadm-admins', 'coredns'].flatMap((name) => manifest(`01-cluster/${name}.yaml`));
  for (const document of documents) await kube.apply(document);
  return kube;
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
