import { change, type Change } from '#lib/kube/manifest.ts';
import type { Lab } from './lab.ts';

const kinds = ['iptables-nft', 'iptables-legacy'];
const saved = (kind: string): string => `/run/${kind}.aside`;

/** Flushes the VM's redirect rules, table nat; the undo restores them as they were. */
export async function redirectsFlushed({ vm }: Lab): Promise<Change> {
  const flush = kinds.map((kind) => `${kind}-save -t nat >${saved(kind)}; ${kind} -t nat -F`);
  await vm.run(['bash', '-ec', flush.join('\n')]);
  return change('the nat rules of the VM flushed', async () => {
    const restore = kinds.map((kind) => `${kind}-restore <${saved(kind)}; rm ${saved(kind)}`);
    await vm.run(['bash', '-ec', restore.join('\n')]);
  });
}
