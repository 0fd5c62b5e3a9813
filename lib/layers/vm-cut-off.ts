import { change, type Change } from '#lib/kube/manifest.ts';
import { lack } from './features.ts';
import type { Lab } from './lab.ts';

/** The VM's network card taken off the bridge of the lab. */
export async function vmCutOff({
  features,
  bystander,
}: Pick<Lab, 'features' | 'bystander'>): Promise<Change> {
  if (!features.has('own-network')) throw lack('own-network');
  await bystander(['ip', 'link', 'set', 'tap-vm', 'nomaster']);
  return change("the VM's interface taken off the bridge", async () => {
    await bystander(['ip', 'link', 'set', 'tap-vm', 'master', 'br0']);
  });
}
