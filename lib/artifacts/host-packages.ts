import { accessSync, constants, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run as runHere, type Run } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { exists } from '#lib/base/files.ts';
import { RefusedError } from '#lib/base/errors.ts';
import { say, step } from '#lib/base/progress.ts';
import { ownArchitecture, type Architecture } from './architecture.ts';
import { debianKeyring } from './debian-sources.ts';
import { isOlder, neededGo } from './go-version.ts';

/** Debian package -> what of it every lab runs: commands, or files by their path. */
const needed: Readonly<Record<string, readonly string[]>> = {
  buildah: ['buildah'],
  busybox: ['busybox'],
  'ca-certificates': ['/etc/ssl/certs/ca-certificates.crt'],
  curl: ['curl'],
  iproute2: ['ip', 'ss'],
  iptables: ['iptables', 'xtables-legacy-multi', 'xtables-nft-multi'],
  kmod: ['modprobe'],
  'libc-bin': ['ldd', 'getent'],
  openssl: ['openssl'],
  podman: ['podman'],
  procps: ['sysctl'],
  python3: ['python3'],
  'python3-pip': ['pip3'],
  socat: ['socat'],
  tar: ['tar'],
  'util-linux': ['nsenter', 'setpriv', 'unshare'],
};

/** What machines that are made on this host take. */
const neededForMachines: typeof needed = {
  conntrack: ['conntrack'],
  'debian-archive-keyring': [debianKeyring],
  containerd: ['containerd', 'ctr', 'containerd-shim-runc-v2'],
  'containernetworking-plugins': ['/usr/lib/cni/ptp', '/usr/lib/cni/host-local', '/usr/lib/cni/portmap'],
  e2fsprogs: ['mke2fs'],
  ethtool: ['ethtool'],
  ipset: ['ipset'],
  mmdebstrap: ['mmdebstrap'],
  nftables: ['nft'],
  'qemu-system-x86': ['qemu-system-x86_64'],
  'qemu-utils': ['qemu-img'],
  runc: ['runc'],
  s6: ['s6-svscan', 's6-supervise', 's6-svc', 's6-svstat'],
};

/** What a VM of arm64 takes on another machine: an emulator for it, and one for the programs that make its disk. */
const neededForArm64: typeof needed = {
  'arch-test': ['arch-test'],
  'binfmt-support': ['update-binfmts'],
  'qemu-system-arm': ['qemu-system-aarch64'],
  'qemu-user-static': ['qemu-aarch64-static'],
};

/** How this host is looked at and changed; a test brings its own. */
export interface Host {
  /** Whether a command (on PATH or in an sbin folder) or a file is there. */
  has: (commandOrFile: string) => boolean;
  root: boolean;
  /** The text of /etc/os-release. */
  osRelease: string;
  run: Run;
}

/**
 * Sees to it that this machine has what the lab runs; as root on Debian or Ubuntu it installs what is missing.
 *
 * @param vm the architecture of the VM that is made on this host; undefined when no machine is made here
 * @throws RefusedError that names what is missing and the command that installs it
 */
export async function hostPackages(vm: Architecture | undefined, host: Host = thisHost()): Promise<void> {
  await refuseOldGo(host);
  const missing = missingPackages(vm, host);
  if (missing.length === 0) return;
  const names = missing.join(' ');
  const { install, byUs, inWords } = installing(missing, host);
  if (!byUs) throw new RefusedError(`This machine lacks ${names}. Install them: ${inWords}.`);

  say(`This machine lacks ${names}: installing them with apt-get, as root.`);
  if (missing.includes('containerd') && exists('/run/systemd/system')) {
    say("With systemd, Debian's package also starts the service containerd; the lab does not use it.");
  }
  await step(`Installing ${String(missing.length)} Debian packages`, { expectedMs: 60_000 }, async (note) => {
    const env = { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8' };
    const options = { env, within: ours.packages, onLine: note };
    // another apt at work is waited for
    const [apt = '', ...words] = install;
    await host.run([apt, '-o', 'DPkg::Lock::Timeout=120', 'update'], options);
    await host.run([apt, '-o', 'DPkg::Lock::Timeout=120', ...words], options);
  });
  const still = missingPackages(vm, host);
  if (still.length > 0) {
    const parts = still.flatMap((name) => neededFor(vm)[name] ?? []);
    throw new RefusedError(`apt-get installed ${names}, and yet this machine lacks ${parts.join(', ')}.`);
  }
}

/**
 * How Debian packages are installed on this host.
 *
 * @returns the command after `apt-get update`, whether the run may give it by itself, and what somebody else has to do
 */
export function installing(
  missing: readonly string[],
  { osRelease, root, has }: Pick<Host, 'osRelease' | 'root' | 'has'>,
): { install: string[]; byUs: boolean; inWords: string } {
  // Docker's containerd.io, which has containerd and runc, would be removed for a package of the same programs
  const install = ['apt-get', 'install', '--yes', '--no-install-recommends', '--no-remove', ...missing];
  const debian = /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(osRelease) && has('apt-get');
  const inWords = debian
    ? `${root ? '' : 'as root: '}apt-get update && ${install.join(' ')}`
    : "the counterparts of Debian's packages, by the package manager of this system";
  return { install, byUs: debian && root, inWords };
}

/** The Debian packages of which something that the lab runs is missing; `vm` as for hostPackages. */
export function missingPackages(
  vm: Architecture | undefined,
  { has }: Pick<Host, 'has'> = thisHost(),
): string[] {
  return Object.entries(neededFor(vm)).flatMap(([name, parts]) => (parts.every(has) ? [] : [name]));
}

const neededFor = (vm: Architecture | undefined): typeof needed => ({
  ...needed,
  ...(vm === undefined ? {} : neededForMachines),
  ...(vm === undefined || vm === ownArchitecture ? {} : neededForArm64),
});

/**
 * The version of Go on PATH, such as go1.24.2.
 *
 * @param needed the oldest that will do, and who asks for it
 * @throws RefusedError when there is none, or it is too old
 */
export async function refuseOldGo(
  { has, run }: Pick<Host, 'has' | 'run'>,
  needed = neededGo(),
): Promise<string> {
  const { version, module } = needed;
  const wanted = `Go ${version.join('.')} or newer is needed to build what the run takes (${module})`;
  const way = 'install it (https://go.dev/doc/install) and put its bin folder on PATH';
  if (!has('go')) throw new RefusedError(`${wanted}, and there is no go on PATH; ${way}.`);
  const { stdout } = await run(['go', 'env', 'GOVERSION'], { cwd: '/' });
  const [, major, minor] = /^go(\d+)\.(\d+)/.exec(stdout) ?? [];
  if (major === undefined || !isOlder([Number(major), Number(minor)], version)) return stdout.trim();
  throw new RefusedError(`${wanted}, and the go on PATH is ${stdout.trim()}; ${way}.`);
}

/** This host itself. */
export function thisHost(): Host {
  const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin', '/usr/local/sbin'];
  const runs = (path: string): boolean => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  };
  return {
    has: (what) => (what.startsWith('/') ? exists(what) : folders.some((folder) => runs(join(folder, what)))),
    root: process.getuid?.() === 0,
    osRelease: exists('/etc/os-release') ? readFileSync('/etc/os-release', 'utf8') : '',
    run: runHere,
  };
}
