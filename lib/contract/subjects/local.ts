import { settings as readSettings } from '#lib/base/settings.ts';
import { vmBase, type Lab } from '#lib/layers/lab.ts';
import { openLabFor } from '#lib/layers/open.ts';
import { closeLab } from '#lib/machines/local/lab.ts';
import { localProvider } from '#lib/machines/local/provider.ts';
import type { ContractMachine, Subject } from '#lib/contract/subject.ts';

/** The lab that the contract is looked at in, beside the one that the settings name. */
export const contractLab = (): string => `${readSettings().lab.name.slice(0, 15)}-contract`;

/** The local provider in a lab of its own: a node, and the VM resumed from the snapshot that labs use. */
export async function local(): Promise<Subject & { lab: Lab }> {
  const settings = readSettings();
  const name = contractLab();
  const { lab } = await openLabFor({ ...settings, lab: { ...settings.lab, name, keep: 'never' } });
  const { programs } = lab;
  const node = (nodeName: string): ContractMachine => ({
    kind: 'a node',
    spec: { name: nodeName, size: { cpus: 1, memoryMiB: 1024, diskGiB: 4 } },
    measures: ['cpus', 'memoryMiB'],
  });
  const vm: ContractMachine = {
    kind: 'the VM',
    spec: { name: settings.vmName, size: settings.sizes.vm },
    measures: ['cpus', 'memoryMiB', 'diskGiB'],
  };
  return {
    lab,
    provider: localProvider({
      lab: lab.local,
      programs: programs.kubernetes,
      vm: { name: settings.vmName, base: vmBase(lab) },
    }),
    machines: [node('k3s-worker-1'), vm],
    two: [node('k3s-worker-2'), vm],
    lacks: {},
    close: async () => closeLab(name),
  };
}
