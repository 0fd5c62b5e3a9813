/** What the policy engine reads of the API's objects: pods, namespaces and network policies. */

export type Labels = Readonly<Record<string, string>>;

interface Meta {
  name: string;
  namespace?: string;
  labels?: Labels;
  creationTimestamp?: string;
}

interface ContainerObject {
  ports?: { name?: string; containerPort: number; protocol?: string }[];
}

export interface PodObject {
  metadata: Meta;
  spec?: {
    nodeName?: string;
    hostNetwork?: boolean;
    containers?: ContainerObject[];
    initContainers?: ContainerObject[];
  };
  status?: { phase?: string; podIP?: string; podIPs?: { ip?: string }[] };
}

export interface NamespaceObject {
  metadata: Meta;
}

export interface Selector {
  matchLabels?: Labels;
  matchExpressions?: { key: string; operator: string; values?: readonly string[] }[];
}

export interface Peer {
  podSelector?: Selector;
  namespaceSelector?: Selector;
  ipBlock?: { cidr: string; except?: readonly string[] };
}

export interface PolicyPort {
  protocol?: string;
  port?: number | string;
  endPort?: number;
}

export interface PolicyObject {
  metadata: Meta;
  spec?: {
    podSelector?: Selector;
    policyTypes?: readonly string[];
    ingress?: readonly { from?: readonly Peer[]; ports?: readonly PolicyPort[] }[];
    egress?: readonly { to?: readonly Peer[]; ports?: readonly PolicyPort[] }[];
  };
}

/** Everything that the rules of all nodes follow from. */
export interface PolicyState {
  pods: readonly PodObject[];
  namespaces: readonly NamespaceObject[];
  policies: readonly PolicyObject[];
  /** The nodes whose rules are wanted. */
  nodes: readonly string[];
}
