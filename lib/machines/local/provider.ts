import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { RefusedError } from '#lib/base/errors.ts';
import { exists } from '#lib/base/files.ts';
import type { Size } from '#lib/base/settings.ts';
import { until } from '#lib/base/until.ts';
import { doFirstBoot } from '#lib/machines/first-boot.ts';
import type { Machine } from '#lib/machines/machine.ts';
import type { MachineProvider, MachineSpec } from '#lib/machines/provider.ts';
import { nodePlans, type Topology } from '#lib/machines/topology.ts';
import { localAddresses } from './addresses.ts';
import { addressesOf, enterLab, script, type LocalLab } from './lab.ts';
import { nodeMachine } from './node.ts';
import { foldersIn } from './sweep.ts';
import { labGroup } from './cgroups.ts';
import { vmMachine, type VmBase } from './vm.ts';

export interface LocalPlace {
  lab: LocalLab;
  /** Folder of the Kubernetes programs, seen in a node as /opt/kubernetes. */
  programs: string;
  /** The external VM: its name, and what it is made from. */
  vm: { name: string; base: VmBase };
}

/**
 * Machines in a lab's namespaces. Their names are the lab's, since each has its place in the lab's network: the
 * article's three nodes, and the VM. A VM resumed from a snapshot has the size that the snapshot was taken with.
 */
export function localProvider({ lab, programs, vm }: LocalPlace): MachineProvider {
  const folder = join(lab.dir, 'machines');
  const any: Size = { cpus: 1, memoryMiB: 1024, diskGiB: 1 };
  const plans = (size: Size) => nodePlans({ sizes: { master: size, worker: size, vm: size } });
  const names = [...plans(any).map(({ name }) => name), vm.name];
  const isVm = (name: string): boolean => name === vm.name;
  const vmOf = (size: Size) =>
    vmMachine({ labDir: lab.dir, enter: enterLab(lab), base: vm.base, name: vm.name, size });

  const handle = (name: string, size: Size): Machine => {
    if (isVm(name)) return vmOf(size);
    const plan = plans(size).find((one) => one.name === name);
    if (plan) return nodeMachine(lab, plan, programs);
    throw new RefusedError(`The local provider has no place for ${name}; it has ${names.join(', ')}.`);
  };
  const remove = async (name: string): Promise<void> => {
    const dir = join(folder, name);
    if (!exists(dir)) return;
    if (isVm(name)) return vmOf(any).remove();
    const machine = handle(name, any);
    if (exists(join(dir, 'var/node.pid'))) await machine.stop();
    await run(['bash', script('cgroups.sh'), 'remove', `${labGroup(lab)}/${name}`]);
    await rm(dir, { recursive: true, force: true });
  };

  return {
    name: 'local',
    machine: (name) => handle(name, any),
    list: async () => Promise.resolve(foldersIn(folder).toSorted()),
    remove,
    launch: async ({ name, size, firstBoot }: MachineSpec, { signal, note } = {}) => {
      const machine = handle(name, size);
      if (exists(join(folder, name)))
        throw new RefusedError(`Lab ${lab.name} has a machine ${name} already; remove it first.`);
      signal?.throwIfAborted();
      try {
        note?.(isVm(name) ? 'resuming' : 'starting');
        await mkdir(join(folder, name), { recursive: true, mode: 0o700 });
        if (isVm(name)) {
          await vmOf(size).anew();
          await readdress(machine, addressesOf(lab));
        } else await machine.start();
        signal?.throwIfAborted();
        note?.('first boot');
        if (firstBoot) await doFirstBoot(machine, firstBoot, signal);
        signal?.throwIfAborted();
        return machine;
      } catch (error) {
        await remove(name);
        throw error;
      }
    },
  };
}

/** Gives a VM its address in a lab that has others than the image, for good. */
async function readdress(vm: Machine, { vm: address, bystander }: Topology): Promise<void> {
  if (address === localAddresses.vm) return;
  const file = '/etc/systemd/network/10-lab.network';
  const change = `s|^Address=.*|Address=${address}/24|; s|^Gateway=.*|Gateway=${bystander}|`;
  await vm.run(['sh', '-c', `sed -i '${change}' ${file} && networkctl reload`]);
  await until(
    `${vm.name} is at ${address} alone`,
    async () => (await vm.run(['ip', '-4', '-o', 'address', 'show', 'dev', 'eth0'])).stdout,
    (shown) => [...shown.matchAll(/inet ([\d.]+)\//g)].map(([, one]) => one).join() === address,
    { within: ours.command, every: 200 },
  );
}
