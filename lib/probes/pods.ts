import type { Kube, Resource } from '#lib/kube/client.ts';

/** A pod as the API server tells it. */
export interface PodFacts {
  name: string;
  namespace: string;
  node: string;
  uid: string;
  addresses: string[];
  /** The names of its containers, those that start first included. */
  containers: string[];
  /** The plain values in the environment of its first container. */
  env: Record<string, string>;
  labels: Record<string, string>;
  annotations: Record<string, string>;
  ready: boolean;
}

interface Container {
  name: string;
  env?: { name: string; value?: string }[];
}

interface PodObject extends Resource {
  spec?: { nodeName?: string; containers?: Container[]; initContainers?: Container[] };
  status?: { podIPs?: { ip: string }[]; conditions?: { type: string; status: string }[] };
}

/** The pods of a namespace (of all, unless told), perhaps only those with some labels. */
export async function podsOf(kube: Kube, namespace?: string, labels?: string): Promise<PodFacts[]> {
  return (await kube.list<PodObject>('v1', 'Pod', namespace, labels)).map(podFacts);
}

/** What the claims look at in a pod. */
export function podFacts({ metadata, spec, status }: PodObject): PodFacts {
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])];
  return {
    name: metadata?.name ?? '',
    namespace: metadata?.namespace ?? '',
    node: spec?.nodeName ?? '',
    uid: metadata?.uid ?? '',
    addresses: status?.podIPs?.map(({ ip }) => ip) ?? [],
    containers: containers.map(({ name }) => name),
    env: Object.fromEntries(
      spec?.containers?.[0]?.env?.map(({ name, value }) => [name, value ?? '(not a plain value)']) ?? [],
    ),
    labels: metadata?.labels ?? {},
    annotations: metadata?.annotations ?? {},
    ready: status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True') ?? false,
  };
}
