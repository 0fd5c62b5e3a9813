import { ours } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import { applying, type Change } from '#lib/kube/manifest.ts';
import { bystander } from '#lib/probes/bystander.ts';
import { connecting } from '#lib/probes/tcp.ts';
import { gatewayAddresses } from './gateway.ts';
import type { Lab } from './lab.ts';
import { loadBalancer } from './load-balancer.ts';
import { inForce } from './passing.ts';

/** The east-west gateway at the default port of istiod too, where the documents have nothing listen. */
export async function defaultPortOpen(lab: Lab): Promise<Change> {
  const { istioNamespace: namespace, ports } = lab.settings;
  const selector = { istio: 'eastwestgateway' };
  const shape = { name: 'istiod-port', namespace, selector, ports: { [ports.default.istiod]: 15012 } };
  const [address = ''] = await gatewayAddresses(lab);
  const port = async (state: string): Promise<void> => {
    await until(
      `port ${String(ports.default.istiod)} of the gateway: ${state}`,
      async () => connecting(bystander(lab), address, ports.default.istiod),
      (seen) => seen === state,
      { within: ours.meshLearns },
    );
  };
  const made = await applying(lab.kube, [loadBalancer(shape)], 'the default port of istiod open');
  return inForce(made, async (open) => port(open ? 'connected' : 'connection refused'));
}
