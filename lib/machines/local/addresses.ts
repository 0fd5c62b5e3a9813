import { apiAt, type Topology } from '#lib/machines/topology.ts';

/** The addresses of a network with a prefix of 24 bits. @param net such as 192.168.64 */
const at = (net: string, master: number, vm: number): Topology => ({
  nodes: {
    'k3s-master': `${net}.${String(master)}`,
    'k3s-worker-1': `${net}.${String(master + 1)}`,
    'k3s-worker-2': `${net}.${String(master + 2)}`,
  },
  api: apiAt(`${net}.${String(master)}`),
  vm: `${net}.${String(vm)}`,
  // the bridge itself, which forwards nothing
  bystander: `${net}.1`,
});

/** The local provider's: the same in every lab, because each has network namespaces of its own. */
export const localAddresses = at('192.168.64', 60, 64);

/** The network that these are in. */
export const localNetwork = '192.168.64.0/24';

/** Those of machines that back instances of another provider: others in all places, so that nobody can lean on ours. */
export const backingAddresses = at('10.151.96', 101, 117);
