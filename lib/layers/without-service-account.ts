import { ours } from '#lib/base/deadlines.ts';
import { change, refOf, type Change } from '#lib/kube/manifest.ts';
import { pod } from '#lib/probes/places.ts';
import { adminJson } from '#lib/probes/envoy.ts';
import { until } from '#lib/base/until.ts';
import { externalAppCluster } from './directions.ts';
import type { Lab } from './lab.ts';
import { entryOf } from './sidecar.ts';

/** The VM's entry without its service account, so that callers do not expect mutual TLS of it. */
export async function withoutServiceAccount(lab: Lab): Promise<Change> {
  const entry = await entryOf(lab);
  if (!entry) throw new Error('The VM has no WorkloadEntry to take the service account from.');
  const ref = refOf(entry);
  const client = pod(lab, 'sample', 'curl', 'istio-proxy');
  const patch = async (serviceAccount: unknown): Promise<void> => {
    await lab.kube.patch(ref, { spec: { serviceAccount } });
    const wanted = serviceAccount !== null;
    await until(
      `sample/curl ${wanted ? 'expects' : 'does not expect'} mutual TLS of the VM`,
      async () => adminJson<Dump>(client, '/config_dump?include_eds&resource=dynamic_endpoint_configs'),
      (dump) => mutualTls(dump, externalAppCluster(lab)) === wanted,
      { within: ours.meshLearns, every: 200 },
    );
  };
  await patch(null);
  return change('the entry without its service account', async () => patch(entry.spec?.['serviceAccount']));
}

interface Dump {
  configs?: { endpoint_config?: Assignment }[];
}
interface Assignment {
  cluster_name: string;
  endpoints?: { lb_endpoints?: object[] }[];
}

/** Endpoints that take mutual TLS are marked with tlsMode in their metadata. */
function mutualTls({ configs = [] }: Dump, cluster: string): boolean {
  const found = configs.find(({ endpoint_config: one }) => one?.cluster_name === cluster);
  return JSON.stringify(found ?? {}).includes('"tlsMode":"istio"');
}
