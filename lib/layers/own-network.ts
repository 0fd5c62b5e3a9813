import { vmArchitecture, type Architecture } from '#lib/artifacts/architecture.ts';
import type { KubernetesSource } from '#lib/artifacts/kubernetes-source.ts';
import { RefusedError } from '#lib/base/errors.ts';
import type { Settings } from '#lib/base/settings.ts';
import { backingAddresses, localAddresses } from '#lib/machines/local/addresses.ts';
import type { Topology } from '#lib/machines/topology.ts';

/**
 * What the namespaces of a lab are made with: the addresses of its machines, or of those that back the stand-in's
 * instances. A lab on instances of multipass itself has no namespaces, as this host is on their network.
 */
export function ownNetwork(
  { lab }: Pick<Settings, 'lab'>,
  env: NodeJS.ProcessEnv = process.env,
): Topology | undefined {
  if (lab.provider !== 'multipass') return localAddresses;
  return env['MULTIPASS_STAND_IN'] ? backingAddresses : undefined;
}

/** Whether a lab has an external VM. VM_OS=none leaves it out, and with it all that takes one. */
export const hasVm = ({ lab }: Pick<Settings, 'lab'>): boolean => lab.vmOs !== 'none';

/** The architecture of the VM when a lab's machines are made on this host, which takes programs; or else undefined. */
export const vmMadeHere = (settings: Settings): Architecture | undefined =>
  settings.lab.provider !== 'existing' && ownNetwork(settings) ? vmArchitecture(settings) : undefined;

/**
 * @throws RefusedError for a Kubernetes with parts that act in a lab's namespaces, where it has none
 */
export function refuseUpstream({ is, why }: KubernetesSource): void {
  if (is === 'k3s') return;
  throw new RefusedError(
    `A lab on instances of multipass takes k3s, as the policy engine and the load balancer of LAB_DISTRIBUTION=upstream act in network namespaces of this host. It would be upstream here (${why}): see to it that the release of k3s can be had.`,
  );
}
