import { BlockList } from 'node:net';
import { run } from '#lib/base/command.ts';
import type { Machine } from '#lib/machines/machine.ts';
import type { NodeMachine } from '#lib/machines/node-machine.ts';
import { apiAt, clusterNetworks, type Topology } from '#lib/machines/topology.ts';

/**
 * Where instances that run are, by their own word, and from where this host reaches them.
 *
 * @param network words that put a command where the instances' network is seen; none when this host itself is on it
 * @throws Error when an address is one of the cluster's own networks, or the network is not one that this host is on
 */
export async function instancesTopology(
  nodes: readonly NodeMachine[],
  vm: Machine,
  network: readonly string[],
): Promise<Topology> {
  const found = await Promise.all(
    [...nodes, vm].map(async (one) => [one.name, await one.address()] as const),
  );
  const addresses = Object.fromEntries(found);
  for (const [name, address] of found) refuseInside(name, address);
  const [master] = nodes.filter(({ plan }) => plan.role === 'control-plane');
  const vmAddress = addresses[vm.name] ?? '';
  const { stdout } = await run([...network, 'ip', '-4', '-oneline', 'route', 'get', vmAddress]);
  return {
    nodes: Object.fromEntries(nodes.map(({ name }) => [name, addresses[name] ?? ''])),
    api: apiAt(addresses[master?.name ?? ''] ?? ''),
    vm: vmAddress,
    bystander: ownAddress(stdout, vmAddress),
  };
}

/**
 * The address that a host has on the network of another.
 *
 * @param route what `ip route get` says of the way there, on one line
 * @throws Error when the way leads over a router
 */
export function ownAddress(route: string, address: string): string {
  const [, router] = / via (\S+)/.exec(route) ?? [];
  const [, own] = / src ([\d.]+)/.exec(route) ?? [];
  if (router === undefined && own !== undefined) return own;
  throw new Error(
    `This host is not on the network of the instances: it has no card there and reaches ${address} ${router === undefined ? 'by no known way' : `by way of ${router}`} (${route.trim()}).`,
  );
}

/** What is inside of the cluster cannot be outside of it, too. */
function refuseInside(name: string, address: string): void {
  for (const network of [clusterNetworks.pods, clusterNetworks.services]) {
    const [net = '', bits] = network.split('/');
    const inside = new BlockList();
    inside.addSubnet(net, Number(bits));
    if (inside.check(address))
      throw new Error(
        `${name} is at ${address}, inside of ${network}, which the cluster has for itself; give multipass another network.`,
      );
  }
}
