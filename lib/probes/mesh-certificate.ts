import type { Kube } from '#lib/kube/client.ts';
import type { Machine } from '#lib/machines/machine.ts';
import { podsOf } from './pods.ts';

/**
 * The certificate and key that a pod's sidecar got from istiod, from the volume mesh-certificate of the pod, where its
 * OUTPUT_CERTS has them written.
 */
export async function meshCertificateOf(
  { kube, nodes }: { readonly kube: Kube; readonly nodes: readonly Machine[] },
  namespace: string,
  name: string,
): Promise<{ certificate: string; key: string }> {
  const found = (await podsOf(kube, namespace)).find((one) => one.name === name);
  const node = nodes.find((one) => one.name === found?.node);
  if (!found || !node) throw new Error(`There is no pod ${name} on a node in namespace ${namespace}.`);
  const volume = `/var/lib/kubelet/pods/${found.uid}/volumes/kubernetes.io~empty-dir/mesh-certificate`;
  const file = async (which: string): Promise<string> =>
    (await node.run(['cat', `${volume}/${which}`], { secret: true })).stdout;
  return { certificate: await file('cert-chain.pem'), key: await file('key.pem') };
}
