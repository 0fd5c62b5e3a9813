import { messageOf } from '#lib/base/errors.ts';
import { endProcess, processesWith } from '#lib/base/processes.ts';
import { hostKubeconfig } from '#lib/distribution/kubeconfig.ts';
import { kubeClient, type Kube } from '#lib/kube/client.ts';
import { existingProvider, type ExistingProvider } from '#lib/machines/existing/provider.ts';
import { ownerName } from './marks.ts';
import { recordIn, type ExistingRecord } from './record.ts';
import { removeFromCluster } from './remove.ts';

/** The machine of a record, by the provider that borrows it. */
export const providerOf = ({ lab, settings, vmName }: ExistingRecord): ExistingProvider =>
  existingProvider({ lab: ownerName(lab), settings, names: [vmName] });

/**
 * Gives cluster and VM of a lab back as they were. Each is tried whatever comes of the other, and it may be done again.
 *
 * @throws Error that says what could not be removed and why
 */
export async function giveBack(
  { lab, settings, before, vmName }: ExistingRecord,
  { kube, provider }: { kube: Kube; provider: ExistingProvider },
  note: (text: string) => void = () => undefined,
): Promise<void> {
  // a mesh that is used is not the lab's, whatever has come to it meanwhile
  const known = settings.mesh === 'use' ? undefined : before;
  // the VM first: while istiod is there its sidecar leaves without complaint
  const ended = [
    await settled(`the VM ${vmName}`, async () => {
      note(`the VM ${vmName}`);
      await provider.remove(vmName);
    }),
    await settled('the cluster', async () => removeFromCluster(kube, lab, known, note)),
  ].flat();
  await provider.disconnect();
  if (ended.length > 0) throw new Error(`Not all could be given back. ${ended.join(' ')}`);
}

/** Gives back what the lab in a folder was put on. */
export async function giveBackLab(dir: string, note?: (text: string) => void): Promise<void> {
  const record = recordIn(dir);
  const kubeconfig = hostKubeconfig({ dir });
  // a run that was killed may have left one that goes on installing
  for (const { pid } of processesWith(`KUBECONFIG=${kubeconfig}`, ['istioctl', 'kubectl'])) endProcess(pid);
  const kube = kubeClient(kubeconfig);
  await giveBack(record, { kube, provider: providerOf(record) }, note);
}

async function settled(what: string, work: () => Promise<unknown>): Promise<string[]> {
  try {
    await work();
    return [];
  } catch (error) {
    return [`Of ${what}: ${messageOf(error)}`];
  }
}
