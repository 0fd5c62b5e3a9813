import { BlockList } from 'node:net';
import type { networkInterfaces } from 'node:os';
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
  const { stdout } = await run([...network, process.execPath, '-e', tellCards]);
  return {
    nodes: Object.fromEntries(nodes.map(({ name }) => [name, addresses[name] ?? ''])),
    api: apiAt(addresses[master?.name ?? ''] ?? ''),
    vm: vmAddress,
    bystander: ownAddress(JSON.parse(stdout) as Cards, vmAddress),
  };
}

/** The network cards of a host, as Node tells them. */
export type Cards = ReturnType<typeof networkInterfaces>;

/** A program for Node: its own network may be another than ours, and what else tells cards is another on each system. */
const tellCards = "console.log(JSON.stringify(require('node:os').networkInterfaces()))";

/**
 * The address that a host has on the network of another: that of the smallest network that has both.
 *
 * @throws Error when it has no card there
 */
export function ownAddress(cards: Cards, address: string): string {
  const beside = Object.values(cards)
    .flatMap((all) => all ?? [])
    .flatMap(({ family, address: own, cidr }) => {
      const [, bits] = cidr?.split('/') ?? [];
      if (family !== 'IPv4' || bits === undefined) return [];
      const network = new BlockList();
      network.addSubnet(own, Number(bits));
      return network.check(address) ? [{ own, bits: Number(bits) }] : [];
    })
    .toSorted((one, other) => other.bits - one.bits);
  const [found] = beside;
  if (found) return found.own;
  const networks = Object.entries(cards).flatMap(([name, all]) =>
    (all ?? []).flatMap(({ family, cidr }) => (family === 'IPv4' && cidr ? [`${cidr} (${name})`] : [])),
  );
  throw new Error(
    `This host is not on the network of the instances: it has no card there to reach ${address} by. It is on ${networks.join(', ') || 'none'}.`,
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
