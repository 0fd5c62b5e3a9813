import { ours } from '#lib/base/deadlines.ts';
import type { Place } from './places.ts';
import { wholeJson } from './whole.ts';

/** One endpoint of a cluster as Envoy's admin interface tells it. */
export interface Endpoint {
  address: string;
  healthy: boolean;
}

/** Envoy's admin interface at a place: GET by curl on 127.0.0.1:15000, or by pilot-agent where there is no curl. */
export async function admin(proxy: Place, path: string, method: 'GET' | 'POST' = 'GET'): Promise<string> {
  const words = ['pilot-agent', 'request', method, path.replace(/^\//, '')];
  const { stdout, stderr, code } = await proxy.attempt(words, { within: ours.envoyAdmin });
  if (code !== 0)
    throw new Error(`Envoy of ${proxy.name} did not answer ${method} ${path}: ${stderr.trim()}`);
  return stdout;
}

/** The same for a page that is JSON. */
export const adminJson = async <T>(proxy: Place, path: string): Promise<T> =>
  wholeJson(`Envoy of ${proxy.name}, asked for ${path},`, async () => admin(proxy, path));

/** The endpoints of a cluster, such as outbound|5000||helloworld.sample.svc.cluster.local; empty when it has none. */
export async function endpointsOf(proxy: Place, cluster: string): Promise<Endpoint[]> {
  const { cluster_statuses = [] } = await adminJson<{ cluster_statuses?: ClusterStatus[] }>(
    proxy,
    '/clusters?format=json',
  );
  const found = cluster_statuses.find(({ name }) => name === cluster);
  return (found?.host_statuses ?? []).map(({ address, health_status }) => ({
    address: `${address.socket_address?.address ?? '?'}:${String(address.socket_address?.port_value ?? '?')}`,
    healthy: health_status.eds_health_status === 'HEALTHY' && !health_status.failed_active_health_check,
  }));
}

interface ClusterStatus {
  name: string;
  host_statuses?: {
    address: { socket_address?: { address: string; port_value: number } };
    health_status: { eds_health_status?: string; failed_active_health_check?: boolean };
  }[];
}

/** The names and addresses of the listeners that Envoy has, such as "0.0.0.0:15012". */
export async function listeners(proxy: Place): Promise<string[]> {
  const { listener_statuses = [] } = await adminJson<{
    listener_statuses?: { local_address: { socket_address?: { address: string; port_value: number } } }[];
  }>(proxy, '/listeners?format=json');
  return listener_statuses.map(
    ({ local_address: { socket_address: at } }) => `${at?.address ?? '?'}:${String(at?.port_value ?? '?')}`,
  );
}

/** The listeners of sidecars and gateways that take connections now and write an access log; `all` counts the others too. */
export async function accessLoggers(proxy: Place): Promise<{ logging: number; all: number }> {
  const { configs = [] } = await adminJson<{ configs?: { active_state?: object }[] }>(
    proxy,
    '/config_dump?resource=dynamic_listeners',
  );
  const active = configs.flatMap(({ active_state }) => (active_state ? [JSON.stringify(active_state)] : []));
  const logging = active.filter((listener) => listener.includes('"envoy.access_loggers.'));
  return { logging: logging.length, all: active.length };
}
