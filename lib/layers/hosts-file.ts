import { change, type Change } from '#lib/kube/manifest.ts';
import type { Lab } from './lab.ts';

const aside = '/run/hosts.aside';

/**
 * /etc/hosts of the VM without the lines that a basic regular expression matches, of which there must be one; the undo
 * puts the file back.
 */
export async function hostsWithout({ vm }: Pick<Lab, 'vm'>, lines: string, name: string): Promise<Change> {
  // written in place: the file keeps its owner and mode
  const shell = 'cp /etc/hosts "$1" && grep -q -e "$0" "$1" && grep -v -e "$0" "$1" >/etc/hosts';
  await vm.run(['sh', '-c', shell, lines, aside]);
  return change(name, async () => {
    await vm.run(['sh', '-c', `cat ${aside} >/etc/hosts && rm ${aside}`]);
  });
}

/** The whole file back before that is undone; nothing is left to undo. */
export async function hostsAsTheyWere({ vm }: Pick<Lab, 'vm'>): Promise<Change> {
  await vm.run(['sh', '-c', `cat ${aside} >/etc/hosts`]);
  return change('/etc/hosts as it was', async () => Promise.resolve());
}
