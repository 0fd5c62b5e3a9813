import { expect, test, vi } from 'vitest';
import type { Output } from '#lib/base/command.ts';
import { RefusedError } from '#lib/base/errors.ts';
import { ownArchitecture } from './architecture.ts';
import { hostPackages, type Host } from './host-packages.ts';

const debian = 'ID=debian\n';
const answer = (stdout: string): Output => ({ stdout, stderr: '', code: 0, ms: 1 });

/** A host that lacks some commands until apt-get has installed something. */
function host(lacks: string[], changes: Partial<Host> = {}): Host & { ran: string[] } {
  const ran: string[] = [];
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  return {
    ran,
    has: (what) => !lacks.includes(what) || (what !== 'go' && ran.some((words) => words.includes('install'))),
    root: true,
    osRelease: debian,
    run: async (words) => {
      ran.push(words.join(' '));
      return Promise.resolve(answer(words[0] === 'go' ? 'go1.26.8\n' : ''));
    },
    ...changes,
  };
}

test('nothing is run on a machine that has everything', async () => {
  const complete = host([]);

  await hostPackages(ownArchitecture, complete);

  expect(complete.ran).toEqual(['go env GOVERSION']);
});

test('as root on Debian what is missing is installed', async () => {
  const bare = host(['containerd', 'nft']);

  await hostPackages(ownArchitecture, bare);

  expect(bare.ran.slice(1)).toEqual([
    'apt-get -o DPkg::Lock::Timeout=120 update',
    'apt-get -o DPkg::Lock::Timeout=120 install --yes --no-install-recommends --no-remove containerd nftables',
  ]);
});

test('what makes machines is not asked for where none are made', async () => {
  const bare = host(['qemu-system-x86_64', 'containerd', 'nft', 'mke2fs', 'podman']);

  await hostPackages(undefined, bare);

  expect(bare.ran.at(-1)).toBe(
    'apt-get -o DPkg::Lock::Timeout=120 install --yes --no-install-recommends --no-remove podman',
  );
});

test('without root the command that installs it is named', async () => {
  const refused = hostPackages(ownArchitecture, host(['/usr/lib/cni/ptp'], { root: false }));

  await expect(refused).rejects.toThrow(RefusedError);
  await expect(refused).rejects.toThrow(
    'lacks containernetworking-plugins. Install them: as root: apt-get update && apt-get install --yes --no-install-recommends --no-remove containernetworking-plugins.',
  );
});

test('elsewhere the packages are named', async () => {
  const refused = hostPackages(ownArchitecture, host(['socat'], { osRelease: 'ID=alpine\n' }));

  await expect(refused).rejects.toThrow("lacks socat. Install them: the counterparts of Debian's packages");
});

test('no Go and an old Go are refused, before anything is installed', async () => {
  const without = host(['go', 'nft']);
  const run: Host['run'] = async () => Promise.resolve(answer('go1.19.8\n'));

  await expect(hostPackages(ownArchitecture, without)).rejects.toThrow(
    /Go 1\.24 or newer is needed .*there is no go on PATH/,
  );
  await expect(hostPackages(ownArchitecture, host([], { run }))).rejects.toThrow(
    /the go on PATH is go1\.19\.8/,
  );
  expect(without.ran).toEqual([]);
});

test.skipIf(ownArchitecture === 'arm64')(
  'a VM of arm64 takes emulators, which nobody else is asked for',
  async () => {
    const emulators = ['qemu-system-aarch64', 'qemu-aarch64-static', 'update-binfmts', 'arch-test'];
    const bare = host(emulators);

    await hostPackages('x64', bare);
    expect(bare.ran).toEqual(['go env GOVERSION']);

    await hostPackages('arm64', bare);
    expect(bare.ran.at(-1)).toBe(
      'apt-get -o DPkg::Lock::Timeout=120 install --yes --no-install-recommends --no-remove arch-test binfmt-support qemu-system-arm qemu-user-static',
    );
  },
);

/** What the smallest system has by itself, an Ubuntu server beside that, and Docker's own packages. */
const least = ['apt-get', 'tar', 'ldd', 'getent', 'nsenter', 'setpriv', 'unshare', 'go'];
const ofUbuntu = [
  ...[
    'busybox',
    '/etc/ssl/certs/ca-certificates.crt',
    'curl',
    'ip',
    'ss',
    'iptables',
    'xtables-legacy-multi',
  ],
  ...['xtables-nft-multi', 'modprobe', 'openssl', 'sysctl', 'python3', 'mke2fs', 'ethtool'],
];
const ofDocker = ['containerd', 'ctr', 'containerd-shim-runc-v2', 'runc', 'docker'];

const osReleases = {
  'Debian 12': 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nVERSION_ID="12"\nID=debian\n',
  'Debian 13': 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nVERSION_ID="13"\nID=debian\n',
  'Ubuntu 22.04': 'VERSION_ID="22.04"\nID=ubuntu\nID_LIKE=debian\n',
  'Ubuntu 24.04': 'VERSION_ID="24.04"\nID=ubuntu\nID_LIKE=debian\n',
  'Ubuntu 26.04': 'VERSION_ID="26.04"\nID=ubuntu\nID_LIKE=debian\n',
};

/** Where nothing but Go is there, in the order in which apt-get is told. */
const all =
  'buildah busybox ca-certificates curl iproute2 iptables kmod openssl podman procps python3 python3-pip socat conntrack debian-archive-keyring containerd containernetworking-plugins e2fsprogs ethtool ipset mmdebstrap nftables qemu-system-x86 qemu-utils runc s6';
const onUbuntu =
  'buildah podman python3-pip socat conntrack debian-archive-keyring containerd containernetworking-plugins ipset mmdebstrap nftables qemu-system-x86 qemu-utils runc s6';
const withoutRuntime = (packages: string): string => packages.replace(/ (containerd|runc)\b/g, '');

test.skipIf(ownArchitecture === 'arm64').each([
  ['Debian 12', least, all],
  ['Debian 13', least, all],
  ['Ubuntu 22.04', [...least, ...ofUbuntu], onUbuntu],
  ['Ubuntu 24.04', [...least, ...ofUbuntu, 'nft'], onUbuntu.replace(' nftables', '')],
  ['Ubuntu 26.04', [...least, ...ofUbuntu, 'nft'], onUbuntu.replace(' nftables', '')],
] as const)("%s, with and without Docker's packages", async (system, has, packages) => {
  const installed = async (there: readonly string[]): Promise<string | undefined> => {
    const fresh = host([], { osRelease: osReleases[system] });
    const done = (): boolean => fresh.ran.some((words) => words.includes(' install '));
    await hostPackages(ownArchitecture, { ...fresh, has: (what) => there.includes(what) || done() });
    return fresh.ran.at(-1)?.split(' --no-remove ')[1];
  };

  expect(await installed(has)).toBe(packages);
  // containerd and runc would take the place of Docker's containerd.io
  expect(await installed([...has, ...ofDocker])).toBe(withoutRuntime(packages));
});
