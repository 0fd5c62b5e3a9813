import { messageOf, RefusedError } from '#lib/base/errors.ts';
import type { Kube } from '#lib/kube/client.ts';
import type { Right } from '#lib/kube/rights.ts';
import { nodesOf } from '#lib/probes/nodes.ts';
import { madeBy } from './marks.ts';
import { controlPlanes, inWords, meshParts, type Found } from './mesh-parts.ts';

/** What a cluster was seen to be like before anything in it is touched. */
export interface ClusterLook {
  /** The version of its API server. */
  version: string;
  /** As "<name> <status of Ready>". */
  nodes: string[];
  /** Each part of a mesh that is there, such as `Deployment istio-system/istiod`, and the lab that made it. */
  mesh: { part: string; madeBy: string | undefined }[];
  /** Whether the control planes that are there send no filters that only Istio's own build of Envoy has. */
  sparesStockEnvoy: boolean;
  /** All namespaces, and the lab that made each. */
  namespaces: { name: string; madeBy: string | undefined }[];
  /** Services of type LoadBalancer, and whether each has an address. */
  balanced: { name: string; addressed: boolean }[];
  /** What the user of the kubeconfig may not do. */
  mayNot: Right[];
}

/** What installing Istio and looking at it takes. */
export const neededRights: readonly Right[] = [
  { verb: 'create', group: '', resource: 'namespaces' },
  { verb: 'delete', group: '', resource: 'namespaces' },
  { verb: 'create', group: 'apps', resource: 'deployments' },
  { verb: 'create', group: '', resource: 'services' },
  { verb: 'create', group: '', resource: 'pods/exec' },
  { verb: 'create', group: '', resource: 'serviceaccounts/token' },
  { verb: 'create', group: 'networking.k8s.io', resource: 'networkpolicies' },
];
export const neededForMesh: readonly Right[] = [
  { verb: 'create', group: 'apiextensions.k8s.io', resource: 'customresourcedefinitions' },
  { verb: 'create', group: 'rbac.authorization.k8s.io', resource: 'clusterroles' },
  { verb: 'create', group: 'rbac.authorization.k8s.io', resource: 'clusterrolebindings' },
  { verb: 'create', group: 'admissionregistration.k8s.io', resource: 'mutatingwebhookconfigurations' },
  { verb: 'create', group: 'admissionregistration.k8s.io', resource: 'validatingwebhookconfigurations' },
  { verb: 'delete', group: 'apiextensions.k8s.io', resource: 'customresourcedefinitions' },
];

/**
 * Looks at a cluster without changing anything in it.
 *
 * @param missing asks which rights the kubeconfig's user lacks
 * @throws RefusedError when its API server does not answer, or not to us
 */
export async function lookAtCluster(
  kube: Pick<Kube, 'raw' | 'list'>,
  server: string,
  missing: () => Promise<Right[]>,
): Promise<ClusterLook> {
  const version = await versionOf(kube, server);
  try {
    const [nodes, namespaces, services, parts, planes, mayNot] = await Promise.all([
      nodesOf(kube),
      kube.list('v1', 'Namespace'),
      kube.list('v1', 'Service'),
      meshParts(kube),
      controlPlanes(kube),
      missing(),
    ]);
    const part = ({ ref, object }: Found) => ({ part: inWords(ref), madeBy: madeBy(object) });
    const ownerOf = new Map(namespaces.map((one) => [one.metadata?.name ?? '', madeBy(one)]));
    return {
      version,
      nodes: nodes.map(({ name, ready }) => `${name} ${ready}`),
      namespaces: [...ownerOf].map(([name, owner]) => ({ name, madeBy: owner })),
      mesh: [
        // what stands in a namespace of a lab was made by it
        ...planes.map((one) => ({ part: inWords(one.ref), madeBy: ownerOf.get(one.ref.namespace ?? '') })),
        ...parts.map(part),
      ],
      sparesStockEnvoy: planes.every(({ object }) => sparing.test(JSON.stringify(object.spec))),
      balanced: services
        .filter(({ spec }) => spec?.['type'] === 'LoadBalancer')
        .map(({ metadata, status }) => ({
          name: `${metadata?.namespace ?? ''}/${metadata?.name ?? ''}`,
          addressed: JSON.stringify(status?.['loadBalancer'] ?? {}).includes('ingress'),
        })),
      mayNot,
    };
  } catch (error) {
    throw new RefusedError(
      `The API server ${server} lets this kubeconfig's user not look at the cluster: ${firstLine(error)}`,
    );
  }
}

/** The switch of fixtures/02-istio/stock-envoy.yaml by which istiod leaves these filters out, as a container has it. */
const sparing = /"name":"PILOT_ENABLE_METADATA_EXCHANGE","value":"false"/;

const unreachable =
  /ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|ETIMEDOUT|no answer/;

async function versionOf(kube: Pick<Kube, 'raw'>, server: string): Promise<string> {
  let said: string;
  try {
    said = await kube.raw('/version');
  } catch (error) {
    const said = firstLine(error);
    if (/: (401|403) /.test(said))
      throw new RefusedError(
        `The API server ${server} does not take the credentials of this kubeconfig: ${said}`,
      );
    if (unreachable.test(said))
      throw new RefusedError(
        `Nobody answers as the API server ${server}: ${said}. Can it be reached from here?`,
      );
    throw new RefusedError(`The API server ${server} cannot be asked with this kubeconfig: ${said}`);
  }
  try {
    return (JSON.parse(said) as { gitVersion: string }).gitVersion;
  } catch {
    throw new RefusedError(`What answers at ${server} is no API server of Kubernetes: ${said.slice(0, 80)}`);
  }
}

const firstLine = (error: unknown): string => (messageOf(error).split('\n')[0] ?? '').slice(0, 300);
