import { join } from 'node:path';
import { readJson, writeAtomic } from '#lib/base/files.ts';
import type { Settings, Size } from '#lib/base/settings.ts';

/** A node of the cluster, as far as it is known before there is a machine for it. */
export interface NodePlan {
  name: string;
  role: 'control-plane' | 'worker';
  podNetwork: string;
  size: Size;
}

/** The article's three machines, with the sizes of run.env. */
export const nodePlans = ({ sizes }: Pick<Settings, 'sizes'>): NodePlan[] => [
  { name: 'k3s-master', role: 'control-plane', podNetwork: '10.42.0.0/24', size: sizes.master },
  { name: 'k3s-worker-1', role: 'worker', podNetwork: '10.42.1.0/24', size: sizes.worker },
  { name: 'k3s-worker-2', role: 'worker', podNetwork: '10.42.2.0/24', size: sizes.worker },
];

/** The networks inside of the cluster, whoever provides its machines: those that k3s has by default. */
export const clusterNetworks = {
  pods: '10.42.0.0/16',
  services: '10.43.0.0/16',
  dns: '10.43.0.10',
} as const;

/** Where the machines of a lab are on its network, as their provider tells. */
export interface Topology {
  /** Name of a node -> its address. */
  nodes: Readonly<Record<string, string>>;
  /** The API server: https://<address of the control plane node>:6443 */
  api: string;
  vm: string;
  /** A host of that network that is neither node, pod nor VM. */
  bystander: string;
}

/** The API server on the node of the control plane. */
export const apiAt = (address: string): string => `https://${address}:6443`;

type Place = Readonly<Record<'name' | 'dir', string>>;
const file = ({ dir }: Place): string => join(dir, 'topology.json');

/** Where the machines of a lab were when they came up, or undefined when they never did. */
export const knownTopology = (lab: Place): Topology | undefined => readJson<Topology>(file(lab));

/** The same. @throws Error when they never came up */
export function topologyOf(lab: Place): Topology {
  const known = knownTopology(lab);
  if (known) return known;
  throw new Error(
    `The machines of lab ${lab.name} have no addresses yet; \`npm run lab -- up machines\` brings them up.`,
  );
}

export const keepTopology = async (lab: Place, topology: Topology): Promise<void> =>
  writeAtomic(file(lab), JSON.stringify(topology, undefined, 2));

/**
 * Which machines are no longer where they were, each as `<name> is at <address> and was at <address>`.
 *
 * @param before name of a machine -> its address
 */
export const moved = (before: Topology['nodes'], now: Topology['nodes']): string[] =>
  Object.entries(now).flatMap(([name, address]) => {
    const was = before[name];
    return was === undefined || was === address ? [] : [`${name} is at ${address} and was at ${was}`];
  });
