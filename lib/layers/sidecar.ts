import type { Within } from '#lib/base/deadline.ts';
import { ours } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import type { Resource } from '#lib/kube/client.ts';
import { change, type Change } from '#lib/kube/manifest.ts';
import type { Lab } from './lab.ts';
import { startSidecar } from './workload.ts';

/** `systemctl stop istio`: draining, the end of the agent, and the clean-up of the unit. */
export async function stopSidecar({ vm }: Lab): Promise<void> {
  await vm.run(['systemctl', 'stop', 'istio'], { within: ours.sidecarStop });
}

/** Ends the sidecar without draining; the unit's clean-up runs, and it stays stopped. */
export async function killSidecar({ vm }: Lab): Promise<void> {
  await vm.run(['bash', '-c', 'systemctl kill --signal=KILL istio; systemctl stop istio'], {
    within: ours.sidecarStop,
  });
}

/** The WorkloadEntry that the VM registers itself as; undefined while there is none. */
export async function entryOf({ kube, vm, settings }: Lab): Promise<Resource | undefined> {
  const name = `${settings.vmApp}-${await vm.address()}-${settings.vmNetwork}`;
  return kube.get({
    apiVersion: 'networking.istio.io/v1',
    kind: 'WorkloadEntry',
    name,
    namespace: settings.vmNamespace,
  });
}

/** The entries in the VM's namespace, as "<name> <address>". */
export async function entriesOf({ kube, settings }: Lab): Promise<string[]> {
  const found = await kube.list('networking.istio.io/v1', 'WorkloadEntry', settings.vmNamespace);
  return found.map(({ metadata, spec }) => `${metadata?.name ?? ''} ${String(spec?.['address'])}`);
}

/** The entry that a VM of this address registers, as `entriesOf` tells it. */
export const entryLine = ({ settings }: Pick<Lab, 'settings'>, address: string): string =>
  `${settings.vmApp}-${address}-${settings.vmNetwork} ${address}`;

/** When istiod saw the VM's connection end, in milliseconds since 1970; 0 as long as it stands. */
export function disconnectedAt(entry: Resource | undefined): number {
  return Date.parse(entry?.metadata?.annotations?.['istio.io/disconnectedAt'] ?? '') || 0;
}

/** The sidecar as it runs now, to come back to: the undo starts the unit and waits until the VM is registered. */
export const runningSidecar = async (lab: Lab): Promise<Change> =>
  Promise.resolve(
    change('the sidecar stopped', async () => {
      await startSidecar(lab, ours.sidecarAgain);
      await registered(lab);
    }),
  );

/** Waits until the entry says that the VM is connected; whether it is healthy is told later, see inMesh. */
export async function registered(lab: Lab, within: Within = ours.registered): Promise<Resource> {
  const entry = await until(
    'the WorkloadEntry of the VM is connected',
    async () => entryOf(lab),
    (seen) => {
      const { annotations = {} } = seen?.metadata ?? {};
      return 'istio.io/connectedAt' in annotations && !('istio.io/disconnectedAt' in annotations);
    },
    { within, every: 200 },
  );
  return entry as Resource;
}
