import { assign, heldKey, type Conflict, type Held, type LoadBalancerNode, type Wanting } from './assign.ts';
import type { LoadBalancerState, NodeObject, PodObject, ServiceObject, SliceObject } from './objects.ts';

export interface Plan {
  /** Services whose status says something else than it should, and what it should say. */
  changes: { service: ServiceObject; addresses: string[] }[];
  /** Services that get no address at all, and why. */
  pending: { service: ServiceObject; conflicts: Conflict[] }[];
  held: Map<string, string>;
}

/**
 * What the status of each Service should say. Only Services without a load balancer class are ours.
 *
 * @param before who held which port; undefined at the start, when the statuses tell
 */
export function plan(state: LoadBalancerState, before: Held | undefined): Plan {
  const mine = state.services.filter(({ spec }) => spec?.loadBalancerClass === undefined);
  const wanting = mine.filter(
    ({ metadata, spec }) => spec?.type === 'LoadBalancer' && !metadata.deletionTimestamp,
  );
  const nodes = state.nodes.filter(isReady).flatMap((node) => usable(node, state.pods));
  nodes.sort((a, b) => a.address.localeCompare(b.address, undefined, { numeric: true }));
  const outcome = assign(
    wanting.map((service) => wish(service, state.slices)),
    nodes,
    before ?? heldBy(wanting, nodes),
  );
  const result: Plan = { changes: [], pending: [], held: outcome.held };
  for (const service of mine) {
    const given = wanting.includes(service) ? (outcome.nodes.get(uidOf(service)) ?? []) : [];
    const addresses = given.map(({ address }) => address);
    if (addressesOf(service).join() !== addresses.join()) result.changes.push({ service, addresses });
    const conflicts = outcome.conflicts.get(uidOf(service)) ?? [];
    if (addresses.length === 0 && conflicts.length > 0) result.pending.push({ service, conflicts });
  }
  return result;
}

/** What the statuses of the Services tell about who holds which port; the older one is believed. */
function heldBy(services: readonly ServiceObject[], nodes: readonly LoadBalancerNode[]): Map<string, string> {
  const held = new Map<string, string>();
  const youngestFirst = [...services].sort((a, b) => sinceOf(b).localeCompare(sinceOf(a)));
  for (const service of youngestFirst) {
    for (const node of nodes.filter(({ address }) => addressesOf(service).includes(address))) {
      for (const port of portsOf(service)) held.set(heldKey(node.name, port), uidOf(service));
    }
  }
  return held;
}

function wish(service: ServiceObject, slices: readonly SliceObject[]): Wanting {
  const { metadata, spec } = service;
  const wanting: Wanting = {
    uid: uidOf(service),
    title: `${metadata.namespace ?? 'default'}/${metadata.name}`,
    since: sinceOf(service),
    ports: portsOf(service),
  };
  if (spec?.externalTrafficPolicy !== 'Local') return wanting;
  // traffic that may not leave its node can only be taken where an endpoint is
  const own = slices.filter(
    (slice) =>
      slice.metadata.namespace === metadata.namespace &&
      slice.metadata.labels?.['kubernetes.io/service-name'] === metadata.name,
  );
  const ready = own
    .flatMap(({ endpoints }) => endpoints ?? [])
    .filter(({ conditions }) => conditions?.ready !== false);
  return { ...wanting, only: new Set(ready.flatMap(({ nodeName }) => nodeName ?? [])) };
}

function usable({ metadata, status }: NodeObject, pods: readonly PodObject[]): LoadBalancerNode[] {
  const address = status?.addresses?.find(({ type }) => type === 'InternalIP')?.address;
  if (address === undefined) return [];
  const hostPorts = new Map<string, string>();
  for (const pod of pods) {
    const ended = pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
    if (pod.spec?.nodeName !== metadata.name || ended) continue;
    for (const { hostPort, protocol } of (pod.spec.containers ?? []).flatMap(({ ports }) => ports ?? [])) {
      if (hostPort === undefined || hostPort === 0) continue;
      hostPorts.set(
        `${protocol ?? 'TCP'}/${String(hostPort)}`,
        `pod ${pod.metadata.namespace ?? ''}/${pod.metadata.name}`,
      );
    }
  }
  return [{ name: metadata.name, address, hostPorts }];
}

const isReady = ({ status }: NodeObject): boolean =>
  status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;

const addressesOf = ({ status }: ServiceObject): string[] =>
  (status?.loadBalancer?.ingress ?? []).map(({ ip }) => ip ?? '');

const portsOf = ({ spec }: ServiceObject): string[] =>
  (spec?.ports ?? []).map(({ port, protocol }) => `${protocol ?? 'TCP'}/${String(port)}`);

const uidOf = ({ metadata }: ServiceObject): string => metadata.uid ?? metadata.name;

const sinceOf = ({ metadata }: ServiceObject): string => metadata.creationTimestamp ?? '';
