import type { Change } from '#lib/kube/manifest.ts';
import type { Lab } from './lab.ts';
import { patched } from './passing.ts';

/** The east-west gateway without the label that says of which network it is. */
export async function gatewayOfNoNetwork(lab: Lab): Promise<Change> {
  const { clusterNetwork, istioNamespace: namespace } = lab.settings;
  const labelled = (network: string | null) => ({
    metadata: { labels: { 'topology.istio.io/network': network } },
  });
  const ref = { apiVersion: 'v1', kind: 'Service', namespace, name: 'istio-eastwestgateway' };
  const [there, back] = [labelled(null), labelled(clusterNetwork)];
  return patched(lab, 'the gateway without the label of its network', { ref, there, back });
}
