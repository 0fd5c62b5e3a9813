import type { Size } from '#lib/base/settings.ts';
import type { VmMachine } from '#lib/machines/local/vm.ts';
import type { MachineProvider } from '#lib/machines/provider.ts';

/** The external VM on an instance; a snapshot of another provider's is nothing to it, so it is launched anew. */
export function multipassVm(provider: MachineProvider, name: string, size: Size, dir: string): VmMachine {
  const machine = provider.machine(name);
  return {
    ...machine,
    dir,
    resume: async () => {
      await provider.remove(name);
      await provider.launch({ name, size });
    },
    remove: async () => provider.remove(name),
    start: async () => {
      if ((await provider.list()).includes(name)) await machine.start();
      else await provider.launch({ name, size });
    },
  };
}
