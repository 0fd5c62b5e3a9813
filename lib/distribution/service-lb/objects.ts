/** What the load balancer reads of the API's objects: services, nodes, pods and endpoint slices. */

interface Meta {
  name: string;
  namespace?: string;
  uid?: string;
  creationTimestamp?: string;
  deletionTimestamp?: string;
  labels?: Readonly<Record<string, string>>;
}

export interface ServiceObject {
  metadata: Meta;
  spec?: {
    type?: string;
    loadBalancerClass?: string;
    externalTrafficPolicy?: string;
    ports?: readonly { port: number; protocol?: string }[];
  };
  status?: { loadBalancer?: { ingress?: readonly { ip?: string }[] } };
}

export interface NodeObject {
  metadata: Meta;
  status?: {
    addresses?: readonly { type: string; address: string }[];
    conditions?: readonly { type: string; status: string }[];
  };
}

export interface PodObject {
  metadata: Meta;
  spec?: {
    nodeName?: string;
    containers?: readonly { ports?: readonly { hostPort?: number; protocol?: string }[] }[];
  };
  status?: { phase?: string };
}

export interface SliceObject {
  metadata: Meta;
  endpoints?: readonly { nodeName?: string; conditions?: { ready?: boolean } }[];
}

export interface LoadBalancerState {
  services: readonly ServiceObject[];
  nodes: readonly NodeObject[];
  pods: readonly PodObject[];
  slices: readonly SliceObject[];
}
