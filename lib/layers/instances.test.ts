import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { exists } from '#lib/base/files.ts';
import { settings } from '#lib/base/settings.ts';
import { temporary } from '#lib/base/temporary.ts';
import { folders } from '#lib/machines/multipass/stand-in/folders.ts';
import { clientFolder, standIn, type StandIn } from '#lib/machines/multipass/stand-in/service.ts';
import { disksOfNodes } from './disks.ts';
import { labOf, type Lab, type Programs } from './lab.ts';
import { machines } from './machines.ts';
import { spareVm } from './spare-vm.ts';
import { vmCutOff } from './vm-cut-off.ts';

/*
 * A lab on instances of multipass without namespaces of this host, as it is with a real one: instances are folders
 * here, k3s is a file, and Node on this host tells a card on their network.
 */

vi.setConfig({ testTimeout: 60_000 });
// its commands are this host's here
vi.mock('#lib/machines/multipass/vm.ts', async (actual) => ({ ...(await actual()), vmFirstBoot: {} }));

let scratch: Awaited<ReturnType<typeof temporary>>;
let service: StandIn;
const ownNode = process.execPath;
let lab: Lab;

beforeEach(async () => {
  scratch = await temporary();
  const [dir, cache, bin] = ['lab', 'cache', 'bin'].map((name) => join(scratch.path, name)) as [
    string,
    string,
    string,
  ];
  for (const folder of [dir, join(cache, 'archives'), bin]) await mkdir(folder, { recursive: true });
  for (const file of ['k3s', 'air-gap.tar.zst', 'archives/0.tar']) await writeFile(join(cache, file), file);
  const card = JSON.stringify({ eth9: [{ family: 'IPv4', address: '192.0.2.254', cidr: '192.0.2.254/24' }] });
  const tells = `case "$*" in *networkInterfaces*) echo '${card}' ;; *) exec '${ownNode}' "$@" ;; esac`;
  await writeFile(join(bin, 'node'), `#!/bin/sh\n${tells}\n`, { mode: 0o755 });
  process.execPath = join(bin, 'node');
  service = await standIn(dir, folders(join(scratch.path, 'instances')));
  for (const [name, value] of Object.entries(service.env)) vi.stubEnv(name, value);
  vi.stubEnv('PATH', `${bin}:${clientFolder}:${process.env['PATH'] ?? ''}`);
  const programs = {
    ...{ kubernetes: dir, istio: dir, sidecarPackage: 'x.deb', istioProxyBuild: true },
    vm: { sidecarPackage: 'x.deb' },
    forNodes: {
      ...{ is: 'k3s', version: 'v1.27.7+k3s1', program: join(cache, 'k3s') },
      ...{ images: join(cache, 'air-gap.tar.zst'), archives: join(cache, 'archives') },
    },
  } as Programs;
  const asked = settings({ LAB_PROVIDER: 'multipass', LAB_NAME: 'mine', WORKLOAD_VM_NAME: 'vm' });
  lab = labOf(asked, { name: 'mine', dir, init: { pid: 0, started: '' } }, programs);
});

afterEach(async () => {
  process.execPath = ownNode;
  await service.close();
  vi.unstubAllEnvs();
  await scratch[Symbol.asyncDispose]();
});

test('its machines are launched, found, and given what k3s starts with', async () => {
  await machines.up(lab, () => undefined);

  const instances = ['mine-k3s-master', 'mine-k3s-worker-1', 'mine-k3s-worker-2', 'mine-vm'];
  expect((await readdir(join(scratch.path, 'instances'))).toSorted()).toEqual(instances);
  const disks = service.asked.flatMap((words) =>
    words[0] === 'launch' ? [`${words[3] ?? ''} ${words[words.indexOf('--disk') + 1] ?? ''}`] : [],
  );
  expect(disks.toSorted()).toEqual([
    'mine-k3s-master 8G',
    'mine-k3s-worker-1 10G',
    'mine-k3s-worker-2 10G',
    'mine-vm 4G',
  ]);
  expect(disksOfNodes(lab)).toMatch(/k3s-master 8 GiB instead of 4/);
  const { topology } = lab;
  const addresses = [...Object.values(topology.nodes), topology.vm];
  expect(addresses.toSorted()).toEqual(['192.0.2.1', '192.0.2.17', '192.0.2.33', '192.0.2.49']);
  expect(topology.api).toBe(`https://${topology.nodes['k3s-master'] ?? ''}:6443`);
  expect(topology.bystander).toBe('192.0.2.254');
  for (const instance of instances.slice(0, 3)) {
    const root = join(scratch.path, 'instances', instance, 'var/lib/rancher');
    expect(await readFile(join(root, 'bin/k3s'), 'utf8')).toBe('k3s');
    expect((await readdir(join(root, 'k3s/agent/images'))).toSorted()).toEqual([
      'air-gap.tar.zst',
      'lab-0.tar',
    ]);
  }
  expect(exists(join(scratch.path, 'instances/mine-vm/var/lib/rancher'))).toBe(false);

  // a run later
  await machines.check(lab);
  await lab.nodes[0]?.restart();
  await expect(machines.check(lab)).rejects.toThrow(
    /^k3s-master is at 192\.0\.2\.\d+ and was at 192\.0\.2\.\d+$/,
  );
});

test('this host is the bystander, and what is run as one is known to be of the lab', async () => {
  const { stdout } = await lab.bystander(['sh', '-c', 'echo "$ISTIO_VM_CONFORMANCE_LAB"']);
  expect(stdout).toBe(`${lab.dir}\n`);
  expect(lab.network[0]).toBe('env');
});

test('what only machines of this host can do is told not to apply', async () => {
  await expect(spareVm(lab)).rejects.toMatchObject({ feature: 'spare-vm' });
  await expect(vmCutOff(lab)).rejects.toMatchObject({ feature: 'own-network' });
  expect(lab.features.has('own-vm')).toBe(true);
});
