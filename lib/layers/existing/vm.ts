import { debianName, machineName, type Architecture } from '#lib/artifacts/architecture.ts';
import { LackingError, RefusedError } from '#lib/base/errors.ts';
import type { Lent } from '#lib/machines/existing/machine.ts';
import type { Machine } from '#lib/machines/machine.ts';
import type { VmMachine } from '#lib/machines/local/vm.ts';

const needed = [
  'bash',
  'curl',
  'dpkg',
  'ip',
  'iptables',
  'openssl',
  'python3',
  'sudo',
  'systemctl',
  'systemd-run',
];

/** Istio's start script runs the agent by `sudo -E`; sudo-rs (Ubuntu from 25.10 on) ignores that, and it finds no settings. */
const sudoRs =
  'a sudo that keeps the environment with -E, by which istio-start.sh runs the agent: its sudo is sudo-rs (on Ubuntu, update-alternatives --set sudo /usr/bin/sudo.ws has the other)';

/**
 * Looks whether a machine can be the VM of the documents; changes nothing.
 *
 * @param machine under the name that the VM is to have
 * @param packaged the architectures that there is a package of the sidecar for
 * @returns its architecture, by its own word
 * @throws RefusedError that names all that it lacks
 */
export async function refuseUnfitVm(
  machine: Pick<Machine, 'name' | 'attempt'>,
  packaged: readonly Architecture[],
): Promise<Architecture> {
  const script = [
    'for program do command -v "$program" >/dev/null || echo "the program $program"; done',
    'id ubuntu >/dev/null 2>&1 || echo "the user ubuntu, who the application runs as"',
    `! sudo --version 2>&1 | grep -q sudo-rs || echo "${sudoRs}"`,
    'systemctl is-system-running 2>&1 | grep -qE "running|degraded|starting" || echo "systemd as its init"',
  ].join('\n');
  const { stdout } = await machine.attempt(['sh', '-c', script, '-', ...needed]);
  const lacks = stdout.trim().split('\n').filter(Boolean);
  const own = await machine.attempt(['sh', '-c', 'dpkg --print-architecture 2>/dev/null || uname -m']);
  const word = own.stdout.trim();
  const architecture = packaged.find((one) => [debianName(one), machineName(one)].some((it) => it === word));
  if (!architecture)
    lacks.push(
      `an architecture that there is a package for (${packaged.map(debianName).join(', ')}; it is ${word})`,
    );
  if (lacks.length > 0 || !architecture)
    throw new RefusedError(`${machine.name} lacks ${lacks.join(', ')}, so it cannot be the VM.`);
  const name = (await machine.attempt(['hostname'])).stdout.trim();
  // the mesh knows a VM by the name that it has for itself
  if (name !== machine.name)
    throw new RefusedError(
      `The VM calls itself ${name}, and would be ${machine.name} here; set WORKLOAD_VM_NAME=${name}.`,
    );
  return architecture;
}

/** The external VM on a machine that is somebody else's: it can be started again, but not switched off or made anew. */
export function existingVm(machine: Machine, dir: string): VmMachine {
  const cannot = (what: string) => async (): Promise<never> =>
    Promise.reject(new LackingError('own-vm', `a VM that is somebody else's is not ${what}.`));
  return {
    ...machine,
    dir,
    stop: cannot('switched off'),
    anew: cannot('made anew'),
    remove: cannot('removed'),
  };
}

/** What of a VM is made or changed by the steps of the documents, other than file by file. */
export const lentByVm: Lent = {
  paths: [
    ...['/etc/hosts', '/etc/certs', '/etc/istio', '/run/secrets', '/var/lib/istio', '/var/log/istio'],
    ...['/root/istio-sidecar.deb', '/root/sidecar-files.tar', '/opt/by-hand', '/run/conformance'],
    ...['/run/diagnosis-journal', '/run/diagnosis-state', '/etc/systemd/system/istio.service.d'],
  ],
  packages: ['istio-sidecar'],
  users: ['istio-proxy'],
  units: ['istio', 'external-app'],
};

/** What will be done to the VM beside what the provider says, one line each. */
export const planForVm = (name: string): string[] => [
  `VM ${name}: the package ${lentByVm.packages.join(', ')} is installed with its user ${lentByVm.users.join(', ')}, the units ${lentByVm.units.join(', ')} are started, and /etc/hosts is replaced; all of it is undone at the end`,
];
