import { stringify } from 'yaml';
import { clusterNetworks } from '#lib/machines/topology.ts';

/** Where k3s reads its options, under the names of its flags. */
export const configFile = '/etc/rancher/k3s/config.yaml';

/** What a node's configuration depends on. */
export interface OnNode {
  name: string;
  address: string;
  /** The network interface with that address. */
  iface: string;
  /** The control group that kubelet makes its own in. */
  cgroupRoot: string;
  /** What kubelet may not give away: resource -> quantity. */
  systemReserved: Readonly<Record<string, string>>;
}

/**
 * The options of the server. Traefik is off, as in the article, and the load balancer and the policy engine are on, as
 * they are by default. The networks are those that k3s has by default, too.
 */
export const serverConfig = (node: OnNode): string =>
  stringify({
    ...common(node),
    disable: ['traefik'],
    'write-kubeconfig-mode': '0600',
    'advertise-address': node.address,
    'cluster-cidr': clusterNetworks.pods,
    'service-cidr': clusterNetworks.services,
    'cluster-dns': clusterNetworks.dns,
    // all nodes are on one network, and a tunnel takes a module of the kernel
    'flannel-backend': 'host-gw',
  });

/** The options of an agent. They hold the token, so the file is for root alone. */
export const agentConfig = (node: OnNode, { url, token }: { url: string; token: string }): string =>
  stringify({ ...common(node), server: url, token });

function common({ name, address, iface, cgroupRoot, systemReserved }: OnNode): object {
  const reserved = Object.entries(systemReserved).map(([resource, quantity]) => `${resource}=${quantity}`);
  return {
    'node-name': name,
    'node-ip': address,
    // without a default route nothing else tells it
    'flannel-iface': iface,
    'kubelet-arg': [
      `cgroup-root=${cgroupRoot}`,
      'cgroup-driver=cgroupfs',
      'fail-swap-on=false',
      `system-reserved=${reserved.join(',')}`,
    ],
  };
}
