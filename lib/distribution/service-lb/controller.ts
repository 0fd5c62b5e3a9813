import { messageOf } from '#lib/base/errors.ts';
import { heartbeat } from '#lib/base/heartbeat.ts';
import { seconds } from '#lib/base/until.ts';
import { coalesced } from '#lib/base/coalesced.ts';
import { RefusalError, type Connection } from '#lib/kube/connection.ts';
import { informer } from '#lib/kube/informer.ts';
import type { Conflict, Held } from './assign.ts';
import { conflictEvent } from './event.ts';
import type { NodeObject, PodObject, ServiceObject, SliceObject } from './objects.ts';
import { plan, type Plan } from './plan.ts';

export interface LoadBalancerOptions {
  log: (text: string) => void;
  signal: AbortSignal;
}

/**
 * Gives the cluster's LoadBalancer Services addresses of nodes until the signal; kube-proxy carries the traffic.
 * What it gave stays when it ends.
 */
export function serviceLoadBalancer(api: Connection, { log, signal }: LoadBalancerOptions): void {
  const follow = {
    changed: () => {
      changed();
    },
    log,
    signal,
  };
  const services = informer<ServiceObject>(api, { path: '/api/v1/services', ...follow });
  const nodes = informer<NodeObject>(api, { path: '/api/v1/nodes', ...follow });
  const pods = informer<PodObject>(api, { path: '/api/v1/pods', ...follow });
  const slices = informer<SliceObject>(api, {
    path: '/apis/discovery.k8s.io/v1/endpointslices',
    ...follow,
  });
  let held: Held | undefined;
  /** What was told about each pending Service, so that it is told once. */
  let told = new Map<string, string>();

  const update = async (): Promise<void> => {
    if (signal.aborted || ![services, nodes, pods, slices].every((one) => one.synced())) return;
    const next = plan(
      {
        services: services.objects(),
        nodes: nodes.objects(),
        pods: pods.objects(),
        slices: slices.objects(),
      },
      held,
    );
    held = next.held;
    for (const change of next.changes) await write(change);
    await tell(next.pending);
  };

  const write = async ({ service: { metadata }, addresses }: Plan['changes'][number]): Promise<void> => {
    const { namespace = 'default', name } = metadata;
    try {
      await setAddresses(api, namespace, name, addresses);
      log(`${namespace}/${name}: ${addresses.join(', ') || 'no address'}`);
    } catch (error) {
      // it was deleted meanwhile
      if (!(error instanceof RefusalError && error.status === 404)) throw error;
    }
  };

  const tell = async (
    pending: readonly { service: ServiceObject; conflicts: Conflict[] }[],
  ): Promise<void> => {
    const now = new Map<string, string>();
    for (const { service, conflicts } of pending) {
      const event = conflictEvent(service, conflicts, new Date());
      const uid = service.metadata.uid ?? '';
      now.set(uid, event.message);
      if (told.get(uid) === event.message) continue;
      log(`${service.metadata.namespace ?? ''}/${service.metadata.name}: ${event.message}`);
      await record(api, event);
    }
    told = now;
  };

  const changed = coalesced(update, (error) => {
    log(`services cannot be given addresses, will be tried again: ${messageOf(error)}`);
  });
  const stop = heartbeat(seconds(5), changed);
  signal.addEventListener('abort', stop);
}

/** Says in the status of a Service at which addresses it can be reached; an empty list takes them away. */
async function setAddresses(
  api: Connection,
  namespace: string,
  name: string,
  addresses: readonly string[],
): Promise<void> {
  const ingress = addresses.length > 0 ? addresses.map((ip) => ({ ip })) : null;
  const path = `/api/v1/namespaces/${namespace}/services/${name}/status`;
  await api.patch(path, 'merge-patch+json', { status: { loadBalancer: { ingress } } });
}

async function record(api: Connection, event: ReturnType<typeof conflictEvent>): Promise<void> {
  const { namespace, name } = event.metadata;
  const path = `/api/v1/namespaces/${namespace}/events/${name}?fieldManager=service-lb&force=true`;
  await api.patch(path, 'apply-patch+yaml', event);
}
