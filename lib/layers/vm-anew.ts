import { rm } from 'node:fs/promises';
import type { Lab } from './lab.ts';
import { forget } from './layer.ts';
import { workloadFiles } from './workload.ts';

type VmPlace = Pick<Lab, 'vm' | 'dir'>;

/** install.vm.create.sh --delete: the VM goes, files on the host stay. */
export async function deleteVm({ vm, dir }: VmPlace): Promise<void> {
  await vm.remove();
  await forget(dir, ['machines', ...inTheVm]);
}

/** install.vm.create.sh --recreate: another VM; the generated files go with the old one, whose token they hold. */
export async function recreateVm({ vm, dir }: VmPlace): Promise<void> {
  await rm(workloadFiles({ dir }), { recursive: true, force: true });
  await vm.remove();
  await vm.anew();
  await forget(dir, inTheVm);
}

/** Layers with something in the VM. */
const inTheVm = ['workload', 'apps', 'policy'] as const;
