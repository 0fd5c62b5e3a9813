import { adminJson } from './envoy.ts';
import type { Place } from './places.ts';

/** How many connections and requests Envoy has made to the endpoints of some clusters since it started. */
export interface Traffic {
  connections: number;
  requests: number;
}

interface Clusters {
  cluster_statuses?: {
    name: string;
    host_statuses?: { stats?: { name: string; value?: string | number }[] }[];
  }[];
}

/** Counted by endpoint, which stock and Istio's configuration alike keep (/clusters); other statistics are filtered. */
export async function trafficTo(proxy: Place, cluster: RegExp): Promise<Traffic> {
  const { cluster_statuses = [] } = await adminJson<Clusters>(proxy, '/clusters?format=json');
  const stats = cluster_statuses
    .filter(({ name }) => cluster.test(name))
    .flatMap(({ host_statuses = [] }) => host_statuses.flatMap(({ stats: of = [] }) => of));
  const sum = (wanted: string): number =>
    stats.filter(({ name }) => name === wanted).reduce((total, { value = 0 }) => total + Number(value), 0);
  return { connections: sum('cx_total'), requests: sum('rq_total') };
}
