import { change, type Change } from '#lib/kube/manifest.ts';
import type { Lab } from './lab.ts';

/** Port 8000 of the VM answers nobody, not even the VM itself. */
export async function portRejected({ vm }: Lab): Promise<Change> {
  const rule = ['INPUT', '-p', 'tcp', '--dport', '8000', '-j', 'REJECT', '--reject-with', 'tcp-reset'];
  await vm.run(['iptables', '-I', ...rule]);
  return change('port 8000 of the VM rejected', async () => {
    await vm.run(['iptables', '-D', ...rule]);
  });
}
