import { change, type Change } from '#lib/kube/manifest.ts';
import type { Lab } from './lab.ts';

/**
 * A rule of the VM's own firewall that resets each new connection to a port, whoever makes it on the network. What
 * comes in has been redirected to the sidecar by then, so the port is the one that the connection was made to.
 */
export async function closedByVm({ vm }: Pick<Lab, 'vm'>, port: number): Promise<Change> {
  const rule = [
    ...['INPUT', '!', '-i', 'lo', '-p', 'tcp', '-m', 'conntrack', '--ctstate', 'NEW'],
    ...['--ctorigdstport', String(port), '-j', 'REJECT', '--reject-with', 'tcp-reset'],
  ];
  await vm.run(['iptables', '-w', '-I', ...rule]);
  return change(`port ${String(port)} closed by the VM's firewall`, async () => {
    await vm.run(['iptables', '-w', '-D', ...rule]);
  });
}
