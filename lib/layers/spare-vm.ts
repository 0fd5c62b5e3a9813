import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { change, type Change } from '#lib/kube/manifest.ts';
import { enterLab } from '#lib/machines/local/lab.ts';
import { tap } from '#lib/machines/local/qemu.ts';
import { vmMachine } from '#lib/machines/local/vm.ts';
import { labWith, vmBase, type Lab } from './lab.ts';
import { orUndone } from './passing.ts';

/** The lab with another VM of the same snapshot, and a folder of its own for what is generated for it. */
export interface SpareVm extends Change {
  lab: Lab;
}

/** A network card that leads nowhere: the spare has the address of the VM. */
const ownNetwork = [
  ...['unshare', '--net', 'sh', '-c'],
  `ip link set lo up; ip tuntap add ${tap} mode tap; ip link set ${tap} up; exec "$@"`,
  '-',
];

/**
 * Room for a second VM that nothing of the lab stands on, with the name and the address of the first but in a network
 * of its own. It is not made yet; the undo removes it with all that was generated for it.
 */
export async function roomForVm(lab: Lab): Promise<SpareVm> {
  const dir = join(lab.dir, 'spare');
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const vm = vmMachine({
    labDir: dir,
    enter: [...enterLab(lab.local), ...ownNetwork],
    base: vmBase(lab),
    size: lab.settings.sizes.vm,
    name: lab.settings.vmName,
  });
  const removing = change('a spare VM', async () => {
    await vm.remove();
    await rm(dir, { recursive: true, force: true });
  });
  return { ...removing, lab: labWith(lab, { dir, vm }) };
}

/** A second VM as it is when the machines come up: the sidecar's package is installed, nothing runs. */
export async function spareVm(lab: Lab): Promise<SpareVm> {
  const spare = await roomForVm(lab);
  return orUndone(spare, async () => {
    await spare.lab.vm.anew();
    return spare;
  });
}
