import { isIPv4 } from 'node:net';
import type { Labels, NamespaceObject, PodObject } from './objects.ts';

/** A pod that policies can apply to: it has an IPv4 address of its own on a node. */
export interface Pod {
  namespace: string;
  labels: Labels;
  namespaceLabels: Labels;
  node: string;
  ip: string;
  ports: readonly { name: string; protocol: string; port: number }[];
}

/**
 * The pods that policies can apply to, in order of address. Pods that ended have given their address back,
 * pods on the host's network have none of their own.
 */
export function addressedPods(pods: readonly PodObject[], namespaces: readonly NamespaceObject[]): Pod[] {
  const labelsOf = new Map(namespaces.map(({ metadata }) => [metadata.name, metadata.labels ?? {}]));
  const byAddress = new Map<string, Pod>();
  // an address may be handed on while the old pod is still listed; the younger pod has it
  const oldestFirst = [...pods].sort((a, b) => ageOf(a).localeCompare(ageOf(b)));
  for (const { metadata, spec, status } of oldestFirst) {
    const ip = [status?.podIP, ...(status?.podIPs ?? []).map((one) => one.ip)].find(
      (one) => one && isIPv4(one),
    );
    const ended = status?.phase === 'Succeeded' || status?.phase === 'Failed';
    if (!ip || ended || spec?.hostNetwork || !spec?.nodeName) continue;
    const containers = [...(spec.initContainers ?? []), ...(spec.containers ?? [])];
    const namespace = metadata.namespace ?? 'default';
    byAddress.set(ip, {
      namespace,
      labels: metadata.labels ?? {},
      namespaceLabels: labelsOf.get(namespace) ?? {},
      node: spec.nodeName,
      ip,
      ports: containers
        .flatMap(({ ports }) => ports ?? [])
        .flatMap(({ name, protocol, containerPort }) =>
          name === undefined ? [] : [{ name, protocol: protocol ?? 'TCP', port: containerPort }],
        ),
    });
  }
  return [...byAddress.values()].sort((a, b) => numberOf(a.ip) - numberOf(b.ip));
}

const ageOf = ({ metadata }: PodObject): string => metadata.creationTimestamp ?? '';

const numberOf = (ip: string): number =>
  ip.split('.').reduce((number, part) => number * 256 + Number(part), 0);
