import { RefusedError } from '#lib/base/errors.ts';
import type { Settings } from '#lib/base/settings.ts';
import { rightInWords } from '#lib/kube/rights.ts';
import type { ClusterLook } from './look.ts';

/** What there is to be said of a cluster and a lab before anything is done. */
export interface Outlook {
  settings: Settings;
  /** The lab as `ownerName` has it. */
  owner: string;
  /** The context of the kubeconfig and its API server, such as `prod (https://10.0.0.1:6443)`. */
  cluster: string;
  /** What is done about a mesh that is there. */
  mesh: 'refuse' | 'use';
  look: ClusterLook;
}

/** The namespaces that a lab has from its layers; single claims have more for as long as they last. */
export const namespacesOf = ({ settings, mesh }: Pick<Outlook, 'settings' | 'mesh'>): string[] => [
  ...(mesh === 'use' ? [] : [settings.istioNamespace]),
  settings.vmNamespace,
  'sample',
  'outside',
];

/** The deployments of a mesh that is used as it is, without which nothing of it is found. */
const partsInUse = ({ istioNamespace, istioRevision }: Settings): string[] => [
  `Deployment ${istioNamespace}/istiod-${istioRevision}`,
];

/**
 * Refuses a cluster that the lab may not or cannot be put on.
 *
 * @throws RefusedError that names what is in the way, and the way out
 */
export function refuseUnfit({ settings, owner, cluster, mesh, look }: Outlook): void {
  const asleep = look.nodes.filter((node) => !node.endsWith(' True'));
  if (look.nodes.length === 0) throw new RefusedError(`The cluster ${cluster} has no nodes.`);
  if (asleep.length === look.nodes.length)
    throw new RefusedError(`None of the nodes of ${cluster} is Ready: ${asleep.join(', ')}.`);
  if (look.mayNot.length > 0) {
    const rights = look.mayNot.map(rightInWords).join(', ');
    throw new RefusedError(
      `The user of the kubeconfig may not ${rights} in ${cluster}; take one that may, such as a cluster administrator.`,
    );
  }
  refuseOthersLabs({ owner, cluster, look });
  const parts = look.mesh.filter((one) => one.madeBy !== owner).map(({ part }) => part);
  if (mesh === 'refuse' && parts.length > 0) {
    throw new RefusedError(
      `The cluster ${cluster} has a mesh that this harness did not make (${listed(parts)}), and nothing is installed over it; EXISTING_MESH=use looks at it as it is.`,
    );
  }
  if (mesh === 'use') refuseUnknownMesh(settings, cluster, parts);
  const wanted = namespacesOf({ settings, mesh });
  const foreign = look.namespaces.filter((one) => wanted.includes(one.name) && one.madeBy !== owner);
  if (foreign.length > 0) {
    const names = foreign.map(({ name }) => name);
    throw new RefusedError(
      `The cluster ${cluster} has ${names.length === 1 ? 'a namespace' : 'namespaces'} ${names.join(', ')} that this harness did not make, and would need for itself; remove ${names.length === 1 ? 'it' : 'them'}, or take another cluster (ISTIO_NAMESPACE and VM_NAMESPACE name two of them).`,
    );
  }
  const pending = look.balanced.filter(({ addressed }) => !addressed).map(({ name }) => name);
  if (pending.length > 0 && pending.length === look.balanced.length) {
    throw new RefusedError(
      `No service of type LoadBalancer in ${cluster} has an address (${pending.join(', ')}), so the gateways would get none; the cluster needs a load balancer, such as Klipper or MetalLB.`,
    );
  }
}

/**
 * Refuses a mesh that is used as it is when the VM's Envoy would not take what its control plane sends.
 *
 * @throws RefusedError with the way out
 */
export function refuseProxy({ mesh, look, cluster }: Outlook, istioProxyBuild: boolean): void {
  if (mesh !== 'use' || istioProxyBuild || look.sparesStockEnvoy) return;
  throw new RefusedError(
    `The mesh of ${cluster} sends filters that only Istio's own build of Envoy has, and the modules source has none for the VM; take ARTIFACT_SOURCE=release.`,
  );
}

function refuseOthersLabs({ owner, cluster, look }: Pick<Outlook, 'owner' | 'cluster' | 'look'>): void {
  const made = [...look.mesh, ...look.namespaces].map((one) => one.madeBy);
  const other = made.find((one) => one !== undefined && one !== owner);
  if (other === undefined) return;
  const [name = other, place] = other.split('.');
  const here = place === owner.split('.')[1];
  throw new RefusedError(
    here
      ? `The cluster ${cluster} is in use by lab ${name}; end that first (\`LAB_NAME=${name} npm run lab -- down\`).`
      : `The cluster ${cluster} is in use by lab ${name} of this harness, run elsewhere (${other}); end that first (\`npm run lab -- down\` there).`,
  );
}

function refuseUnknownMesh(settings: Settings, cluster: string, parts: readonly string[]): void {
  const missing = partsInUse(settings).filter((part) => !parts.includes(part));
  if (missing.length === 0) return;
  const planes = parts.filter((part) => part.startsWith('Deployment'));
  throw new RefusedError(
    `EXISTING_MESH=use takes a mesh as the documents have it, with ${missing.join(' and ')}, and ${cluster} has ${listed(planes) || 'no control plane'}; ISTIO_VERSION and ISTIO_NAMESPACE say which is looked for.`,
  );
}

/** What will be done to a cluster that is not ours, one line each. */
export function planForCluster({ settings, owner, cluster, mesh, look }: Outlook): string[] {
  const left = [...look.mesh, ...look.namespaces].some((one) => one.madeBy === owner);
  const { ewg } = settings.ports;
  const balancer = look.balanced.some(({ addressed }) => addressed)
    ? ''
    : '; whether it has a load balancer cannot be seen yet';
  return [
    `${look.version}, ${String(look.nodes.length)} node(s), as the user of the kubeconfig${balancer}`,
    ...(left ? ['what an earlier run of this lab left there is removed first'] : []),
    `namespaces ${namespacesOf({ settings, mesh }).join(', ')} are made, and removed at the end with all that is in them; single claims make more, and remove them`,
    ...(mesh === 'use'
      ? [
          `the mesh of revision ${settings.istioRevision} in ${settings.istioNamespace} is used as it is: nothing of it is installed, changed or removed, and claims that take that are not applicable`,
        ]
      : [
          `Istio ${settings.istioVersion} is installed as revision ${settings.istioRevision}, with its custom resource definitions, cluster roles and webhooks, for namespaces of the lab alone; it is removed at the end`,
          `the gateways take ports 15021, 80, 443, ${[ewg.status, ewg.istiod, ewg.webhook].map(String).join(', ')} and 15443 of the load balancer`,
        ]),
    'nothing else is changed: no other namespace, no node, nothing that was there before',
  ].map((line) => `cluster ${cluster}: ${line}`);
}

const listed = (parts: readonly string[]): string =>
  parts.length > 4
    ? `${parts.slice(0, 4).join(', ')} and ${String(parts.length - 4)} more`
    : parts.join(', ');
