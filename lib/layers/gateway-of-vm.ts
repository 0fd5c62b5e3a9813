import { ours } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import { applying, type Change } from '#lib/kube/manifest.ts';
import { endpointsOf } from '#lib/probes/envoy.ts';
import { pod } from '#lib/probes/places.ts';
import { externalAppCluster } from './directions.ts';
import type { Lab } from './lab.ts';
import { inForce } from './passing.ts';

/** An address that documents use and nobody has. */
const nowhere = '192.0.2.1';

/** A gateway told to the mesh for the network of the VM, so that nobody goes to the VM directly. */
export async function gatewayOfVm(lab: Lab): Promise<Change> {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: 'gateway-of-vm',
      namespace: lab.settings.istioNamespace,
      labels: { 'topology.istio.io/network': lab.settings.vmNetwork },
    },
    spec: { externalIPs: [nowhere], ports: [{ name: 'tls', port: 15443 }] },
  };
  const reached = async (there: boolean): Promise<void> => {
    await until(
      `sample/curl reaches the VM ${there ? 'by its gateway' : 'directly'}`,
      async () => endpointsOf(pod(lab, 'sample', 'curl', 'istio-proxy'), externalAppCluster(lab)),
      (endpoints) => endpoints.some(({ address }) => address === `${nowhere}:15443`) === there,
      { within: ours.meshLearns, every: 200 },
    );
  };
  const applied = await applying(lab.kube, [service], 'a gateway for the network of the VM');
  return inForce(applied, reached);
}
