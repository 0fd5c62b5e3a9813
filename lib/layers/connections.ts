import type { Lab } from './lab.ts';

/**
 * Ends the TCP connections that the VM has to a port elsewhere, so that its proxy must make new ones:
 * what is kept in a pool goes where it went before, whatever has changed since.
 */
export async function endConnectionsOfVm({ vm }: Lab, port: number): Promise<void> {
  await vm.run(['ss', '--kill', '--tcp', '--no-header', `dport = :${String(port)}`]);
}
