import { change, type Change } from '#lib/kube/manifest.ts';
import type { Lab } from './lab.ts';

const saved = '/run/iptables.aside';

/** Flushes the VM's redirect rules, table nat; the undo restores them as they were. */
export async function redirectsFlushed({ vm }: Lab): Promise<Change> {
  await vm.run(['bash', '-c', `iptables-save -t nat >${saved} && iptables -t nat -F`]);
  return change('the nat rules of the VM flushed', async () => {
    await vm.run(['bash', '-c', `iptables-restore <${saved} && rm ${saved}`]);
  });
}
