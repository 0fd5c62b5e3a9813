import { dirname } from 'node:path';
import { stringify } from 'yaml';
import { containerdConfig, containerdOf } from '#lib/artifacts/containerd.ts';
import { inWholeSeconds } from '#lib/base/deadline.ts';
import { ours } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import type { NodeMachine } from '#lib/machines/node-machine.ts';
import { clusterNetworks, type NodePlan } from '#lib/machines/topology.ts';

/**
 * Writes the configuration of containerd, the pod network, kubelet and kube-proxy onto a node.
 *
 * @throws RefusedError when the node's containerd is none that is known
 */
export async function configureNode(node: NodeMachine): Promise<void> {
  const { name, podNetwork } = node.plan;
  const { cgroupRoot, systemReserved } = await kubeletPlace(node);
  const files: Record<string, string> = {
    [containerdToml]: containerdConfig(await containerdOf(async (words) => node.run(words)), {
      root: '/var/lib/containerd',
      state: '/run/containerd',
      socket,
      cni: '/etc/cni/net.d',
    }),
    '/etc/cni/net.d/10-pods.conflist': JSON.stringify({
      cniVersion: '1.0.0',
      name: 'pods',
      plugins: [
        {
          // point to point: all traffic of a pod is routed, so a policy engine sees it in the node's forward chain
          type: 'ptp',
          // the VM has no route to pods, so they reach it from the node's address
          ipMasq: false,
          ipam: { type: 'host-local', ranges: [[{ subnet: podNetwork }]], routes: [{ dst: '0.0.0.0/0' }] },
        },
        { type: 'portmap', capabilities: { portMappings: true }, snat: true },
      ],
    }),
    '/etc/kubernetes/kubelet.yaml': stringify({
      apiVersion: 'kubelet.config.k8s.io/v1beta1',
      kind: 'KubeletConfiguration',
      authentication: {
        anonymous: { enabled: false },
        webhook: { enabled: true },
        x509: { clientCAFile: '/etc/kubernetes/ca.crt' },
      },
      authorization: { mode: 'Webhook' },
      containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
      cgroupDriver: 'cgroupfs',
      cgroupRoot,
      failCgroupV1: false,
      failSwapOn: false,
      clusterDNS: [clusterNetworks.dns],
      clusterDomain: 'cluster.local',
      resolvConf: '/etc/resolv.conf',
      registerNode: true,
      imageGCHighThresholdPercent: 100,
      evictionHard: { 'memory.available': '50Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
      maxPods: 110,
      systemReserved,
      // the sources' waits are about Istio; a sluggish node would only blur them
      syncFrequency: '10s',
      nodeStatusUpdateFrequency: '4s',
      runtimeRequestTimeout: `${inWholeSeconds(ours.runtimeRequest)}s`,
      serializeImagePulls: false,
    }),
    '/etc/kubernetes/kube-proxy.yaml': stringify({
      apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
      kind: 'KubeProxyConfiguration',
      mode: 'iptables',
      hostnameOverride: name,
      clientConnection: { kubeconfig: '/etc/kubernetes/kube-proxy.conf' },
      clusterCIDR: clusterNetworks.pods,
      detectLocalMode: 'ClusterCIDR',
      conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
      iptables: { minSyncPeriod: '100ms', syncPeriod: '30s' },
    }),
  };
  await Promise.all(Object.entries(files).map(async ([file, content]) => node.write(file, content)));
}

/** What kubelet is told of the machine that it is on: where its control groups go, and what is not for pods. */
export async function kubeletPlace(
  node: NodeMachine,
): Promise<{ cgroupRoot: string; systemReserved: Record<string, string> }> {
  const cgroupRoot = await ownGroup(node);
  const { stdout } = await node.run(['cat', '/proc/cpuinfo', '/proc/meminfo']);
  return { cgroupRoot, systemReserved: reserved(node.plan, stdout) };
}

/** The control group that the whole machine is in: that above its first process's. */
async function ownGroup(node: NodeMachine): Promise<string> {
  const groups = (await node.read('/proc/1/cgroup')).trim().split('\n');
  const line =
    groups.find((one) => /:memory:/.test(one)) ?? groups.find((one) => one.startsWith('0::')) ?? '';
  return dirname(line.split(':')[2] ?? '/');
}

/**
 * kubelet takes for the node's size what the kernel tells, which may be its host's, so what the node does not have is
 * reserved: what it can allocate is what run.env says. The control plane's own programs take their share of the master.
 *
 * @param told /proc/cpuinfo and /proc/meminfo, as the node sees them
 */
export function reserved(
  { size, role }: Pick<NodePlan, 'size' | 'role'>,
  told: string,
): Record<string, string> {
  const cpus = [...told.matchAll(/^processor\s*:/gm)].length;
  const memoryKiB = Number(/^MemTotal:\s+(\d+) kB$/m.exec(told)?.[1]);
  if (!Number.isFinite(memoryKiB))
    throw new Error(`/proc/meminfo of the node tells no MemTotal: ${told.slice(-200)}`);
  const beyond = Math.max(0, Math.floor(memoryKiB / 1024) - size.memoryMiB);
  const own = role === 'control-plane' ? 640 : 128;
  return { cpu: String(Math.max(0, cpus - size.cpus)), memory: `${String(beyond + own)}Mi` };
}

/** Pods reach what is outside the cluster from their node's address, as with k3s. */
export async function masquerade(node: NodeMachine): Promise<void> {
  const { podNetwork } = node.plan;
  await node.run([
    'iptables',
    '-w',
    '-t',
    'nat',
    '-A',
    'POSTROUTING',
    '-s',
    podNetwork,
    '!',
    '-d',
    clusterNetworks.pods,
    '-j',
    'MASQUERADE',
  ]);
}

export const startContainerd = async (node: NodeMachine): Promise<void> =>
  node.daemon('containerd', ['containerd', '--config', containerdToml]);

/** kubelet ends when there is no containerd to talk to, so that is waited for. */
export const startKubelet = async (node: NodeMachine): Promise<void> => {
  await until(
    `containerd on ${node.name} listens on ${socket}`,
    async () => (await node.attempt(['test', '-S', socket])).code,
    (code) => code === 0,
    { within: ours.containerdListens, every: 50 },
  );
  await node.daemon('kubelet', [
    'kubelet',
    '--config=/etc/kubernetes/kubelet.yaml',
    '--kubeconfig=/etc/kubernetes/kubelet.conf',
    `--hostname-override=${node.name}`,
    `--node-ip=${await node.address()}`,
  ]);
};

export const startKubeProxy = async (node: NodeMachine): Promise<void> =>
  node.daemon('kube-proxy', ['kube-proxy', '--config=/etc/kubernetes/kube-proxy.yaml']);

const containerdToml = '/etc/containerd/config.toml';
const socket = '/run/containerd/containerd.sock';
