import type { Kube, Resource } from '#lib/kube/client.ts';

/** A Service as `kubectl get service` tells it. */
export interface ServiceFacts {
  name: string;
  namespace: string;
  uid: string;
  type: string;
  clusterIp: string;
  /** Such as 15013->15012/TCP, by number. */
  ports: string[];
  /** The ports alone. */
  numbers: number[];
  /** EXTERNAL-IP: what a load balancer gave it. Empty while it is pending, and where there is none. */
  addresses: string[];
  labels: Record<string, string>;
}

interface ServicePort {
  port: number;
  targetPort?: number | string;
  protocol?: string;
}

interface ServiceObject extends Resource {
  spec?: { type?: string; clusterIP?: string; ports?: ServicePort[] };
  status?: { loadBalancer?: { ingress?: { ip?: string; hostname?: string }[] } };
}

/** One Service. @throws Error when there is none of this name */
export async function serviceOf(kube: Kube, namespace: string, name: string): Promise<ServiceFacts> {
  const found = await kube.get<ServiceObject>({ apiVersion: 'v1', kind: 'Service', namespace, name });
  if (!found) throw new Error(`There is no service ${name} in namespace ${namespace}.`);
  return serviceFacts(found);
}

/** The Services of a namespace (of all, unless told), perhaps only those with some labels. */
export async function servicesOf(kube: Kube, namespace?: string, labels?: string): Promise<ServiceFacts[]> {
  return (await kube.list<ServiceObject>('v1', 'Service', namespace, labels)).map(serviceFacts);
}

function serviceFacts({ metadata, spec, status }: ServiceObject): ServiceFacts {
  const ports = (spec?.ports ?? []).toSorted((a, b) => a.port - b.port);
  return {
    name: metadata?.name ?? '',
    namespace: metadata?.namespace ?? '',
    uid: metadata?.uid ?? '',
    type: spec?.type ?? '',
    clusterIp: spec?.clusterIP ?? '',
    ports: ports.map(
      ({ port, targetPort, protocol }) =>
        `${String(port)}->${String(targetPort ?? port)}/${protocol ?? 'TCP'}`,
    ),
    numbers: ports.map(({ port }) => port),
    addresses: status?.loadBalancer?.ingress?.map(({ ip, hostname }) => ip ?? hostname ?? '') ?? [],
    labels: metadata?.labels ?? {},
  };
}

interface EventObject extends Resource {
  reason?: string;
  message?: string;
  involvedObject?: { uid?: string };
}

/** What the Events about an object say, as `<reason>: <message>`. */
export async function eventsAbout(
  kube: Kube,
  { namespace, uid }: { namespace: string; uid: string },
): Promise<string[]> {
  const events = await kube.list<EventObject>('v1', 'Event', namespace);
  return events
    .filter(({ involvedObject }) => involvedObject?.uid === uid)
    .map(({ reason, message }) => `${reason ?? ''}: ${message ?? ''}`);
}
