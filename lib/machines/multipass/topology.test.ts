import { describe, expect, test } from 'vitest';
import type { Machine } from '#lib/machines/machine.ts';
import type { NodeMachine } from '#lib/machines/node-machine.ts';
import { nodePlans } from '#lib/machines/topology.ts';
import { settings } from '#lib/base/settings.ts';
import { reachedAt, sizeOf } from './machine.ts';
import { instancesTopology, ownAddress } from './topology.ts';

const at = (name: string, address: string) => ({ name, address: async () => Promise.resolve(address) });
const nodes = (...addresses: string[]): NodeMachine[] =>
  nodePlans(settings({})).map((plan, i) => ({ ...at(plan.name, addresses[i] ?? ''), plan }) as NodeMachine);
const vm = (address: string): Machine => at('vm', address) as Machine;
/** A network in which `ip` says this of any way. */
const saying = (route: string): string[] => ['sh', '-c', 'echo "$0"', route];

const beside = saying('10.151.7.40 dev mpqemubr0 src 10.151.7.1 uid 0 \\    cache');

describe('where instances are', () => {
  test('is what they say, and this host is the bystander on their network', async () => {
    const three = nodes('10.151.7.23', '10.151.7.199', '10.151.7.5');
    expect(await instancesTopology(three, vm('10.151.7.40'), beside)).toEqual({
      nodes: { 'k3s-master': '10.151.7.23', 'k3s-worker-1': '10.151.7.199', 'k3s-worker-2': '10.151.7.5' },
      api: 'https://10.151.7.23:6443',
      vm: '10.151.7.40',
      bystander: '10.151.7.1',
    });
  });

  test.each([
    ['10.42.3.9', 'k3s-worker-1 is at 10.42.3.9, inside of 10.42.0.0/16'],
    ['10.43.255.1', 'k3s-worker-1 is at 10.43.255.1, inside of 10.43.0.0/16'],
  ])('is refused inside of the networks of the cluster (%s)', async (address, why) => {
    const three = nodes('10.151.7.23', address, '10.151.7.5');
    await expect(instancesTopology(three, vm('10.151.7.40'), beside)).rejects.toThrow(why);
  });

  test('is refused where this host reaches them over a router only, or not at all', () => {
    expect(() => ownAddress('10.151.7.40 via 192.0.2.1 dev eth0 src 192.0.2.9 uid 0', '10.151.7.40')).toThrow(
      'This host is not on the network of the instances: it has no card there and reaches 10.151.7.40 by way of 192.0.2.1',
    );
    expect(() => ownAddress('', '10.151.7.40')).toThrow('reaches 10.151.7.40 by no known way');
  });
});

test.each([
  ['the one of its own', ['10.151.7.23'], [], '10.151.7.23'],
  ['whatever multipass still tells', ['10.151.7.24'], ['10.42.0.1', '10.151.7.23'], '10.151.7.24'],
  ['of several that which multipass tells', ['192.0.2.5', '10.151.7.23'], ['10.151.7.23'], '10.151.7.23'],
  [
    'of several its first, when multipass tells none of them',
    ['192.0.2.5', '10.151.7.23'],
    ['10.42.0.1'],
    '192.0.2.5',
  ],
  ['not one inside of it', [], ['10.42.0.0', '10.42.0.1'], undefined],
])('an instance is reached at %s', (_, own, told, address) => {
  expect(reachedAt(own, told)).toBe(address);
});

test('an instance has the size that it was given, as long as what it sees bears that out', () => {
  const given = { cpus: 2, memoryMiB: 8192, diskGiB: 5 };
  const seen = { cpus: 2, memoryMiB: 7937.3, diskGiB: 3.8 };
  expect(sizeOf(seen, given)).toEqual(given);
  expect(sizeOf({ ...seen, memoryMiB: 9216 }, given).memoryMiB).toBe(9216);
  expect(sizeOf({ ...seen, memoryMiB: 4096, cpus: 1 }, given)).toEqual({
    ...given,
    memoryMiB: 4096,
    cpus: 1,
  });
  expect(sizeOf(seen)).toEqual(seen);
});
