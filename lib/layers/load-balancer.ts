import { startControllers, stopControllers } from '#lib/distribution/start-controllers.ts';
import type { Resource } from '#lib/kube/client.ts';
import { change, type Change } from '#lib/kube/manifest.ts';
import type { Lab } from './lab.ts';

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

/** Stops the load balancer's controller; what it gave stays. */
export async function withoutLoadBalancer({ local, nodes }: Pick<Lab, 'local' | 'nodes'>): Promise<Change> {
  const names = nodes.map(({ name }) => name);
  await stopControllers(local);
  await startControllers(local, names, 'network-policy');
  return change('no controller of the load balancer', async () => {
    await stopControllers(local);
    await startControllers(local, names);
  });
}
