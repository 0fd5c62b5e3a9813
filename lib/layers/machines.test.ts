import { writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { temporary } from '#lib/base/temporary.ts';
import { labKubeconfig } from '#lib/distribution/kubeconfig.ts';
import { apiAt, knownTopology, topologyOf, type Topology } from '#lib/machines/topology.ts';
import type { Lab } from './lab.ts';
import { machines } from './machines.ts';

const first: Topology = {
  nodes: { 'k3s-master': '192.0.2.10', 'k3s-worker-1': '192.0.2.11' },
  api: apiAt('192.0.2.10'),
  vm: '192.0.2.12',
  bystander: '192.0.2.1',
};

let scratch: Awaited<ReturnType<typeof temporary>>;
let place: { name: string; dir: string };
beforeEach(async () => {
  scratch = await temporary();
  place = { name: 'any', dir: scratch.path };
});
afterEach(async () => scratch[Symbol.asyncDispose]());

/** A lab whose machines run, and are where its provider says. */
const labAt = (now: Topology): Lab => {
  const machine = (name: string) => ({ name, run: async () => Promise.resolve(), onHost: () => '/' });
  return {
    ...place,
    features: new Set(['own-vm', 'node-access']),
    nodes: Object.keys(now.nodes).map(machine),
    vm: machine('vm'),
    programs: { vm: {} },
    distribution: { furnish: async () => Promise.resolve() },
    get topology() {
      return topologyOf(place);
    },
    locate: async () => Promise.resolve(now),
  } as unknown as Lab;
};
const up = async (now: Topology): Promise<void> => machines.up(labAt(now), () => undefined);

test('machines that are up are written down with their addresses, and found there again', async () => {
  expect(() => topologyOf(place)).toThrow('The machines of lab any have no addresses yet');
  await up(first);
  expect(topologyOf(place)).toEqual(first);
  await machines.check(labAt(first));
});

test('a node that came up elsewhere is refused once there is a cluster, with both addresses and the way out', async () => {
  const later = { ...first, nodes: { ...first.nodes, 'k3s-worker-1': '192.0.2.77' } };
  await up(first);
  await expect(machines.check(labAt(later))).rejects.toThrow(
    /^k3s-worker-1 is at 192\.0\.2\.77 and was at 192\.0\.2\.11$/,
  );
  await writeFile(labKubeconfig(place), '');
  await expect(up(later)).rejects.toThrow(
    /^k3s-worker-1 is at 192\.0\.2\.77 and was at 192\.0\.2\.11 when the cluster was made, .*up --recreate` begins anew\.$/,
  );
  expect(knownTopology(place)).toEqual(first);
});

test('before there is a cluster its nodes may come up anywhere, and the VM always', async () => {
  const later = { ...first, nodes: { 'k3s-master': '192.0.2.20', 'k3s-worker-1': '192.0.2.21' } };
  await up(first);
  await up(later);
  await writeFile(labKubeconfig(place), '');
  const last = { ...later, vm: '192.0.2.99' };
  await expect(machines.check(labAt(last))).rejects.toThrow('vm is at 192.0.2.99 and was at 192.0.2.12');
  await up(last);
  expect(topologyOf(place)).toEqual(last);
});
