import type { Check } from './finding.ts';

/** What else on this host decides what root may do. Whether it stands in the way, what is tried in namespaces tells. */
export const security: readonly Check[] = [
  {
    what: 'SELinux',
    when: ({ machinesHere }) => machinesHere,
    look: async (host) => {
      const what = 'SELinux';
      const enforce = host.read('/sys/fs/selinux/enforce')?.trim();
      if (enforce === '1')
        return [
          {
            what,
            state: 'note',
            found: 'enforcing; a lab was never seen under it',
            mend: 'setenforce 0, if machines do not come up',
          },
        ];
      return Promise.resolve([{ what, state: 'good', found: enforce === '0' ? 'permissive' : 'off' }]);
    },
  },
  {
    what: 'AppArmor',
    when: ({ machinesHere }) => machinesHere,
    look: async (host) => {
      const what = 'AppArmor';
      const on = host.read('/sys/module/apparmor/parameters/enabled')?.trim() === 'Y';
      const profiles = host.read('/sys/kernel/security/apparmor/profiles') ?? '';
      const enforced = ['unshare', 'runc', 'containerd', 'busybox'].filter((name) =>
        new RegExp(`^${name} \\(enforce\\)`, 'm').test(profiles),
      );
      const found = on
        ? `on${enforced.length > 0 ? `, with profiles that enforce for ${enforced.join(', ')}` : ''}`
        : 'off';
      return Promise.resolve([{ what, state: enforced.length > 0 ? 'note' : 'good', found }]);
    },
  },
  {
    what: '/dev/kmsg',
    when: ({ machinesHere }) => machinesHere,
    look: async (host) => {
      const what = '/dev/kmsg';
      if (host.opens(what)) return [{ what, state: 'good', found: 'opens' }];
      const mend = 'in a container: run it privileged, or with --device /dev/kmsg';
      return Promise.resolve([
        { what, state: 'lacking', found: 'does not open', wanted: 'kubelet reads it', mend },
      ]);
    },
  },
];
