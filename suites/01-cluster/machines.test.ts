import { BlockList } from 'node:net';
import { expect } from 'vitest';
import { settings as readSettings, type Size } from '#lib/base/settings.ts';
import { claims } from '#lib/claims/claim.ts';
import { applying } from '#lib/kube/manifest.ts';
import { disksOfNodes } from '#lib/layers/disks.ts';
import { otherMemory } from '#lib/layers/other-node.ts';
import { podReady } from '#lib/layers/passing.ts';
import { standInPod } from '#lib/layers/stand-in-pods.ts';
import { vmCutOff } from '#lib/layers/vm-cut-off.ts';
import { installedMemoryMiB } from '#lib/probes/memory.ts';
import { nodesOf } from '#lib/probes/nodes.ts';
import { pod, type Place } from '#lib/probes/places.ts';
import { podsOf } from '#lib/probes/pods.ts';
import { connecting } from '#lib/probes/tcp.ts';

const claim = claims('01-cluster', { layer: 'cluster' });

claim('cluster.machine-sizes', {
  requires: ['node-access'],
  falsifier: async (lab) => otherMemory(lab, lab.settings.sizes.worker.memoryMiB + 1024),
  breaks: 'machines',
  red: /'k3s-worker-2': \{ cpus: 2, memoryMiB: 9216 \}/,

  async proof(lab, seen) {
    const { nodes, vm, settings } = lab;
    const { master, worker } = settings.sizes;
    seen('the disk of a node', disksOfNodes(lab));
    const granted = ({ cpus, memoryMiB }: Size): Partial<Size> => ({ cpus, memoryMiB });
    const measured = await Promise.all(
      nodes.map(async (node) => [node.name, granted(await node.size())] as const),
    );

    expect(seen('what the nodes may use', Object.fromEntries(measured))).toEqual({
      'k3s-master': granted(master),
      'k3s-worker-1': granted(worker),
      'k3s-worker-2': granted(worker),
    });
    const [size, memoryMiB] = await Promise.all([vm.size(), installedMemoryMiB(vm)]);
    expect(seen('the size of the VM', { ...size, memoryMiB })).toEqual(settings.sizes.vm);

    const adjusted = readSettings({ CPU_WORKER: '3', MEM_WORKER: '5G', MEM_VM: '2G' }).sizes;
    expect(seen('the sizes that the next creation is given', adjusted)).toMatchObject({
      worker: { cpus: 3, memoryMiB: 5 * 1024 },
      vm: { memoryMiB: 2 * 1024 },
    });
  },
});

claim('cluster.same-network', {
  requires: ['node-access'],
  async given({ kube, manifest }) {
    const [client] = manifest('04-traffic/clients.yaml').filter(({ kind }) => kind === 'Pod');
    // nothing is injected into the pods of this namespace
    return applying(kube, [{ ...client, metadata: { name: 'same-network', namespace: 'default' } }]);
  },
  falsifier: vmCutOff,
  breaks: 'machines',
  red: /'k3s-master': '(timeout|no route to host)'/,

  async proof(lab, seen) {
    const { vm, nodes } = lab;
    await podReady(lab, 'default', 'same-network');
    const address = await vm.address();
    const places: Place[] = [...nodes, pod(lab, 'default', 'same-network')];
    const toVm = await Promise.all(
      places.map(async (from) => [from.name, await connecting(from, address, 22)] as const),
    );
    expect(seen('port 22 of the VM, from nodes and a pod', Object.fromEntries(toVm))).toEqual(
      Object.fromEntries(places.map(({ name }) => [name, 'connected'])),
    );

    // 6443 is open on the control plane alone, so each node's kube-proxy is asked too; and asked they are, because a
    // sidecar on the VM takes connections to anywhere
    const known = (await nodesOf(lab.kube)).map((node) => node.address);
    const pages = [
      `https://${String(known[0])}:6443/version`,
      ...known.map((node) => `http://${node}:10256/healthz`),
    ];
    const curl = [
      'curl',
      '-sk',
      '-m',
      '5',
      '-w',
      String.raw`%{http_code}\n`,
      ...pages.flatMap((page) => ['-o', '/dev/null', page]),
    ];
    const statuses = (await vm.attempt(curl)).stdout.trim().split('\n');
    const fromVm = pages.map((page, place) => [page, statuses[place]] as const);
    expect(seen('API server and nodes, asked from the VM', Object.fromEntries(fromVm))).toEqual(
      Object.fromEntries(pages.map((page) => [page, '200'])),
    );
  },
});

const ofItsOwn = [
  'echo "bootId=$(cat /proc/sys/kernel/random/boot_id)"',
  'echo "kernel=$(uname -r)"',
  'echo "init=$(cat /proc/1/comm)"',
  'echo "host=$(hostname)"',
  'echo "resolver=$(grep -m 1 ^nameserver /etc/resolv.conf)"',
  'echo "hosts=$(grep -c "$(hostname)" /etc/hosts)"',
].join('\n');

async function ownOf(place: Place): Promise<Record<string, string>> {
  const { stdout } = await place.attempt(['bash', '-c', ofItsOwn]);
  return Object.fromEntries(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => line.split('=') as [string, string]),
  );
}

claim('cluster.vm-outside-kubernetes', {
  requires: ['node-access'],
  falsifier: async (lab) =>
    standInPod(lab, { name: 'vm-as-a-pod', namespace: 'default', address: await lab.vm.address() }),
  red: /name: 'vm-as-a-pod'/,

  async proof({ kube, vm, nodes, settings }, seen) {
    const [address, known, pods, [ofVm, ofNode]] = await Promise.all([
      vm.address(),
      nodesOf(kube),
      podsOf(kube),
      Promise.all([vm, ...nodes.slice(0, 1)].map(ownOf)),
    ]);
    seen('the address of the VM', address);
    expect(known.filter((node) => node.address === address)).toEqual([]);
    expect(pods.filter(({ addresses }) => addresses.includes(address))).toEqual([]);

    const podNetworks = new BlockList();
    for (const [network = '', prefix] of known
      .flatMap((node) => node.podNetworks)
      .map((cidr) => cidr.split('/'))) {
      podNetworks.addSubnet(network, Number(prefix));
    }
    expect(podNetworks.check(address)).toBe(false);

    seen('the VM and a node, each from inside', { ofVm, ofNode });
    expect(ofVm).toMatchObject({ init: 'systemd', host: settings.vmName, resolver: 'nameserver 127.0.0.53' });
    expect(Number(ofVm?.['hosts'])).toBeGreaterThan(0);
    // one boot is one kernel
    expect(ofVm?.['bootId']).toMatch(/^[0-9a-f-]{36}$/);
    expect(ofVm?.['bootId']).not.toBe(ofNode?.['bootId']);
  },
});
