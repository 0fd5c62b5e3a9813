import { CoreV1Api, setHeaderOptions, type KubeConfig } from '@kubernetes/client-node';

/** Says in the status of a Service at which addresses it can be reached; an empty list takes them away. */
export async function setLoadBalancerAddresses(
  config: KubeConfig,
  { namespace, name }: { namespace: string; name: string },
  addresses: readonly string[],
): Promise<void> {
  const ingress = addresses.length > 0 ? addresses.map((ip) => ({ ip })) : null;
  await config
    .makeApiClient(CoreV1Api)
    .patchNamespacedServiceStatus(
      { namespace, name, body: { status: { loadBalancer: { ingress } } } },
      setHeaderOptions('Content-Type', 'application/merge-patch+json'),
    );
}
