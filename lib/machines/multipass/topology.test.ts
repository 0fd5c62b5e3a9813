import { describe, expect, test } from 'vitest';
import type { Machine } from '#lib/machines/machine.ts';
import type { NodeMachine } from '#lib/machines/node-machine.ts';
import { nodePlans } from '#lib/machines/topology.ts';
import { settings } from '#lib/base/settings.ts';
import { reachedAt, sizeOf } from './machine.ts';
import { instancesTopology, ownAddress, type Cards } from './topology.ts';

const at = (name: string, address: string) => ({ name, address: async () => Promise.resolve(address) });
const nodes = (...addresses: string[]): NodeMachine[] =>
  nodePlans(settings({})).map((plan, i) => ({ ...at(plan.name, addresses[i] ?? ''), plan }) as NodeMachine);
const vm = (address: string): Machine => at('vm', address) as Machine;
/** A card of a host as Node tells it. */
const card = (cidr: string, family: 'IPv4' | 'IPv6' = 'IPv4') => ({
  ...{ address: cidr.split('/')[0] ?? '', netmask: '', mac: '', internal: false, cidr },
  ...(family === 'IPv4' ? { family } : { family, scopeid: 0 }),
});
const cards: Cards = {
  lo0: [card('127.0.0.1/8'), card('::1/128', 'IPv6')],
  en0: [card('10.0.0.7/8')],
  bridge100: [card('10.151.7.1/24')],
  utun0: undefined,
};
/** A network in which Node tells these cards. */
const beside = ['sh', '-c', 'echo "$0"', JSON.stringify(cards)];

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

  test('has this host on it by the smallest network that has both', () => {
    expect(ownAddress(cards, '10.151.7.40')).toBe('10.151.7.1');
    expect(ownAddress(cards, '10.9.9.9')).toBe('10.0.0.7');
  });

  test('is told by this host itself when it is not in a network of its own', async () => {
    const here = await instancesTopology(nodes('127.0.0.2', '127.0.0.3', '127.0.0.4'), vm('127.0.0.5'), []);
    expect(here.bystander).toBe('127.0.0.1');
  });

  test('is refused where this host has no card', () => {
    expect(() => ownAddress(cards, '192.0.2.40')).toThrow(
      'This host is not on the network of the instances: it has no card there to reach 192.0.2.40 by. It is on 127.0.0.1/8 (lo0), 10.0.0.7/8 (en0), 10.151.7.1/24 (bridge100).',
    );
    expect(() => ownAddress({}, '192.0.2.40')).toThrow('It is on none.');
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
