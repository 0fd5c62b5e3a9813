import type { Kube, Resource } from '#lib/kube/client.ts';

/** A node of the cluster as `kubectl get nodes -o wide` tells it. */
export interface NodeFacts {
  name: string;
  /** From the labels node-role.kubernetes.io/…; none for a worker. */
  roles: string[];
  /** The status of the condition Ready: True, False or Unknown. */
  ready: string;
  /** The version of its kubelet. */
  version: string;
  /** Its InternalIP. */
  address: string;
  podNetworks: string[];
}

interface NodeObject extends Resource {
  spec?: { podCIDRs?: string[] };
  status?: {
    nodeInfo?: { kubeletVersion: string };
    addresses?: { type: string; address: string }[];
    conditions?: { type: string; status: string }[];
  };
}

const role = 'node-role.kubernetes.io/';

/** The nodes of the cluster, by name. */
export async function nodesOf(kube: Pick<Kube, 'list'>): Promise<NodeFacts[]> {
  const found = await kube.list<NodeObject>('v1', 'Node');
  return found
    .map(({ metadata, spec, status }) => ({
      name: metadata?.name ?? '',
      roles: Object.keys(metadata?.labels ?? {}).flatMap((label) =>
        label.startsWith(role) ? [label.slice(role.length)] : [],
      ),
      ready: status?.conditions?.find(({ type }) => type === 'Ready')?.status ?? 'Unknown',
      version: status?.nodeInfo?.kubeletVersion ?? '',
      address: status?.addresses?.find(({ type }) => type === 'InternalIP')?.address ?? '',
      podNetworks: spec?.podCIDRs ?? [],
    }))
    .sort((a, b) => a.name.localeCompare(b.name));
}
