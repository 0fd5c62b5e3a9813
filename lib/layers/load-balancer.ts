import { ours } from '#lib/base/deadlines.ts';
import { startControllers, stopControllers } from '#lib/distribution/start-controllers.ts';
import { until } from '#lib/base/until.ts';
import type { Resource } from '#lib/kube/client.ts';
import { change, type Change } from '#lib/kube/manifest.ts';
import { setLoadBalancerAddresses } from '#lib/kube/service-status.ts';
import { serviceOf } from '#lib/probes/services.ts';
import { ofPrograms, type Lab } from './lab.ts';

interface Shape {
  name: string;
  namespace: string;
  /** From port to target port. */
  ports: Readonly<Record<number, number>>;
  selector: Readonly<Record<string, string>>;
}

/** A Service of type LoadBalancer. */
export const loadBalancer = ({ name, namespace, ports, selector }: Shape): Resource => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace },
  spec: {
    type: 'LoadBalancer',
    selector,
    ports: Object.entries(ports).map(([port, targetPort]) => ({
      name: `tcp-${port}`,
      port: Number(port),
      targetPort,
    })),
  },
});

/** Stops the load balancer's controller, and takes away what it gave to a Service. */
export async function withoutLoadBalancer(
  { local, nodes, kube, distribution }: Pick<Lab, 'local' | 'nodes' | 'kube' | 'distribution'>,
  service: { namespace: string; name: string },
): Promise<Change> {
  ofPrograms(distribution, 'its load balancer is stopped');
  const names = nodes.map(({ name }) => name);
  await stopControllers(local);
  await startControllers(local, names, 'network-policy');
  await setLoadBalancerAddresses(kube.config, service, []);
  return change('no load balancer', async () => {
    await stopControllers(local);
    await startControllers(local, names);
    await until(
      `service ${service.name} has an address again`,
      async () => (await serviceOf(kube, service.namespace, service.name)).addresses,
      (addresses) => addresses.length > 0,
      { within: ours.serviceAddress },
    );
  });
}
