import { debianName, ownArchitecture } from '#lib/artifacts/architecture.ts';
import type { Check } from './finding.ts';
import { mendModules } from './modules.ts';

export const vm: readonly Check[] = [
  {
    what: 'VM',
    when: ({ vm: architecture, settings }) => architecture !== undefined && settings.lab.vmOs !== 'none',
    look: async (host, { vm: architecture = ownArchitecture }) => {
      const what = 'VM';
      if (architecture !== ownArchitecture)
        return [{ what, state: 'note', found: `of ${debianName(architecture)}, emulated on any machine` }];
      if (!host.opens('/dev/kvm'))
        return [{ what, state: 'note', found: 'emulated, as /dev/kvm does not open' }];
      const found =
        '/dev/kvm opens; a kernel is booted to see whether it works, and the VM is emulated if not';
      return Promise.resolve([{ what, state: 'good', found }]);
    },
  },
  {
    what: 'binfmt_misc',
    when: ({ vm: architecture, settings }) =>
      architecture !== undefined && architecture !== ownArchitecture && settings.lab.vmOs !== 'none',
    look: async (host) => {
      const what = 'binfmt_misc';
      const known = /\bbinfmt_misc$/m.test(host.read('/proc/filesystems') ?? '');
      if (known) return [{ what, state: 'good', found: 'known to the kernel' }];
      const wanted = 'programs of the other architecture, while the disk of the VM is made';
      const modules = mendModules(host, ['binfmt_misc']);
      // its module is loaded when it is mounted
      const state = modules.startsWith('modprobe') ? 'note' : 'lacking';
      return Promise.resolve([{ what, state, found: 'not loaded', wanted, mend: modules }]);
    },
  },
];
