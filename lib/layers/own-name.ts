import { change, type Change } from '#lib/kube/manifest.ts';
import type { Lab } from './lab.ts';

const line = String.raw`^127\.0\.1\.1 `;
const aside = '/etc/hosts.aside';

/** /etc/hosts of the VM without the line that has the VM's own name; the undo puts the file back. */
export async function withoutOwnName({ vm }: Pick<Lab, 'vm'>): Promise<Change> {
  // written in place: the file keeps its owner and mode
  const shell = `cp --archive /etc/hosts ${aside} && grep -q '${line}' ${aside} && grep -v '${line}' ${aside} >/etc/hosts`;
  await vm.run(['sh', '-c', shell]);
  return change("the VM's own name not in /etc/hosts", async () => {
    await vm.run(['mv', aside, '/etc/hosts']);
  });
}

/** The line put back before that; nothing is left to undo. */
export async function withOwnName({ vm }: Pick<Lab, 'vm'>): Promise<Change> {
  await vm.run(['sh', '-c', `cat ${aside} >/etc/hosts`]);
  return change("the VM's own name in /etc/hosts", async () => Promise.resolve());
}
