/** A Service that wants addresses of nodes. */
export interface Wanting {
  uid: string;
  /** namespace/name */
  title: string;
  /** When it was made; the older one has the right to a port. */
  since: string;
  /** Such as TCP/443. */
  ports: readonly string[];
  /** The nodes that it may use; all when undefined. */
  only?: ReadonlySet<string>;
}

export interface LoadBalancerNode {
  name: string;
  address: string;
  /** Ports that pods of the node hold, such as TCP/443, and which pod. */
  hostPorts: ReadonlyMap<string, string>;
}

/** Who holds which port of which node: from `node TCP/443` to the uid of the Service. */
export type Held = ReadonlyMap<string, string>;

export interface Conflict {
  node: string;
  port: string;
  holder: string;
}

export interface Assignment {
  /** The nodes where the Service has all of its ports, by uid. */
  nodes: Map<string, LoadBalancerNode[]>;
  /** Which port was not to be had where, and who holds it, by uid. */
  conflicts: Map<string, Conflict[]>;
  held: Map<string, string>;
}

export const heldKey = (node: string, port: string): string => `${node} ${port}`;

/**
 * Gives the ports of the nodes to the Services, as Klipper's pods with host ports get them: a Service uses a node
 * when it gets all of its ports there. Who holds its ports keeps them; among the others the older one gets them.
 */
export function assign(
  services: readonly Wanting[],
  nodes: readonly LoadBalancerNode[],
  before: Held,
): Assignment {
  const result: Assignment = { nodes: new Map(), conflicts: new Map(), held: new Map() };
  const titles = new Map(services.map(({ uid, title }) => [uid, `service ${title}`]));
  const oldestFirst = [...services].sort(
    (a, b) => a.since.localeCompare(b.since) || a.uid.localeCompare(b.uid),
  );
  for (const node of nodes) {
    const holds = ({ uid, ports }: Wanting): boolean =>
      ports.every((port) => before.get(heldKey(node.name, port)) === uid);
    const usable = oldestFirst.filter(({ only }) => !only || only.has(node.name));
    const holding = usable.filter(holds);
    for (const service of [...holding, ...usable.filter((one) => !holding.includes(one))]) {
      const conflicts: Conflict[] = [];
      for (const port of service.ports) {
        const uid = result.held.get(heldKey(node.name, port));
        // a pod that took the port later did not know of us; it is the newcomer
        const pod = holding.includes(service) ? undefined : node.hostPorts.get(port);
        const holder = uid === undefined ? pod : titles.get(uid);
        if (holder !== undefined) conflicts.push({ node: node.name, port, holder });
      }
      if (conflicts.length > 0) append(result.conflicts, service.uid, conflicts);
      else {
        for (const port of service.ports) result.held.set(heldKey(node.name, port), service.uid);
        append(result.nodes, service.uid, [node]);
      }
    }
  }
  return result;
}

function append<T>(map: Map<string, T[]>, key: string, values: readonly T[]): void {
  map.set(key, [...(map.get(key) ?? []), ...values]);
}
