import { refusalOf, type Kube, type Ref, type Resource } from '#lib/kube/client.ts';

/** The kinds of what Istio has in no namespace, in the order in which they are removed: what acts on others first. */
const kinds = [
  ['admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration'],
  ['admissionregistration.k8s.io/v1', 'ValidatingWebhookConfiguration'],
  ['gateway.networking.k8s.io/v1', 'GatewayClass'],
  ['rbac.authorization.k8s.io/v1', 'ClusterRoleBinding'],
  ['rbac.authorization.k8s.io/v1', 'ClusterRole'],
  ['apiextensions.k8s.io/v1', 'CustomResourceDefinition'],
] as const;

/** An object with the words that head it, which a list leaves out. */
export interface Found {
  ref: Ref;
  object: Resource;
}

/** Such as `ClusterRole istiod-clusterrole-1-27-9-istio-system`. */
export const inWords = ({ kind, namespace, name }: Ref): string =>
  `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;

/** All that Istio has in a cluster outside of namespaces, whoever installed it. */
export async function meshParts(kube: Pick<Kube, 'list'>): Promise<Found[]> {
  const found: Found[] = [];
  for (const [apiVersion, kind] of kinds) {
    for (const object of await listed(kube, apiVersion, kind)) {
      const name = object.metadata?.name ?? '';
      if (isOfIstio(kind, name, object)) found.push({ ref: { apiVersion, kind, name }, object });
    }
  }
  return found;
}

/** The deployments of control planes, in any namespace. */
export async function controlPlanes(kube: Pick<Kube, 'list'>): Promise<Found[]> {
  const found = await kube.list('apps/v1', 'Deployment', undefined, 'app=istiod');
  return found.map((object) => {
    const { name = '', namespace = '' } = object.metadata ?? {};
    return { ref: { apiVersion: 'apps/v1', kind: 'Deployment', name, namespace }, object };
  });
}

function isOfIstio(kind: string, name: string, { spec }: Resource): boolean {
  if (kind === 'CustomResourceDefinition') return name.endsWith('.istio.io');
  if (kind === 'GatewayClass') return /^istio\.io\//.test(String(spec?.['controllerName']));
  return /^(istio|istiod)\b/.test(name);
}

/** A cluster need not know a kind. */
async function listed(kube: Pick<Kube, 'list'>, apiVersion: string, kind: string): Promise<Resource[]> {
  try {
    return await kube.list(apiVersion, kind);
  } catch (error) {
    const unknown = error instanceof Error && /unrecognized api version/i.test(error.message);
    if (unknown || refusalOf(error) === 404) return [];
    throw error;
  }
}
