import type { FirstBoot } from '#lib/machines/first-boot.ts';
import type { VmMachine } from '#lib/machines/local/vm.ts';
import type { MachineProvider, MachineSpec } from '#lib/machines/provider.ts';

/**
 * The external VM on an instance.
 *
 * @param spec what it is launched as
 * @param dir its folder on the host
 */
export function multipassVm(provider: MachineProvider, spec: MachineSpec, dir: string): VmMachine {
  const { name } = spec;
  const machine = provider.machine(name);
  return {
    ...machine,
    dir,
    anew: async () => {
      await provider.remove(name);
      await provider.launch(spec);
    },
    remove: async () => provider.remove(name),
    start: async () => {
      if ((await provider.list()).includes(name)) await machine.start();
      else await provider.launch(spec);
    },
  };
}

/** What the steps of the documents run on the VM -> the package that has it. */
const needed: Readonly<Record<string, string>> = {
  curl: 'curl',
  dig: 'bind9-dnsutils',
  ip: 'iproute2',
  iptables: 'iptables',
  openssl: 'openssl',
  python3: 'python3',
  resolvectl: 'systemd-resolved',
  sudo: 'sudo',
};

/** What the image of an instance may lack of a VM of the documents. Where it lacks nothing, nothing is fetched. */
export const vmFirstBoot: FirstBoot = {
  commands: [
    // updates of its own accord would hold the lock that dpkg needs for the sidecar's package
    'for unit in apt-daily.timer apt-daily-upgrade.timer unattended-upgrades.service; do systemctl disable --now --quiet $unit 2>/dev/null || true; done',
    [
      'missing=',
      ...Object.entries(needed).map(
        ([program, name]) => `command -v ${program} >/dev/null || missing="$missing ${name}"`,
      ),
      '[ -z "$missing" ] || {',
      '  export DEBIAN_FRONTEND=noninteractive',
      '  apt-get -o DPkg::Lock::Timeout=300 update',
      '  apt-get -o DPkg::Lock::Timeout=300 install --yes --no-install-recommends $missing',
      '}',
    ].join('\n'),
  ],
};
