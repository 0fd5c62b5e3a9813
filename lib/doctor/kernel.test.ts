import { describe, expect, test } from 'vitest';
import { askedFor, lacking, look, ofState } from './made-up-host.ts';

describe('what is tried in namespaces', () => {
  const said = (lines: string) => (command: string) =>
    command.includes('ip tuntap add') ? { stdout: lines } : undefined;
  const parts = ['mounts', '/proc', '/proc/sys', 'bridge', 'veth', 'tun', 'network namespaces', 'overlay'];

  test('what the kernel lacks is named, with the module to load', async () => {
    const lines = parts.map((what) =>
      what === 'overlay' ? 'no overlay: unknown filesystem type' : `good ${what}`,
    );
    const dep = { '/lib/modules/6.1.0-40-amd64/modules.dep': 'kernel/fs/overlayfs/overlay.ko.xz:\n' };

    expect(lacking(await look({ answers: said(lines.join('\n')), files: dep }))).toEqual([
      'overlay: unknown filesystem type; wanted: containers, on the file system of the cache; mend: modprobe -a overlay',
    ]);
    expect(lacking(await look({ answers: said(lines.join('\n')) }))).toEqual([
      expect.stringContaining('mend: boot a kernel with overlay (6.1.0-40-amd64 has no such module)'),
    ]);
  });

  test('a profile of AppArmor that takes everything is named (Ubuntu)', async () => {
    const lines = parts.map((what) => `no ${what}: Operation not permitted`).join('\n');
    const files = { '/sys/kernel/security/apparmor/profiles': 'runc (unconfined)\nunshare (enforce)\n' };

    expect(lacking(await look({ answers: said(lines), files }))).toEqual([
      "namespaces: nothing can be done in them (Operation not permitted): AppArmor's profile unshare takes from root what it needs; wanted: mounts and a network of its own for a lab; mend: apparmor_parser -R /etc/apparmor.d/unshare-userns-restrict",
    ]);
  });

  test('a host that lets no namespace be made', async () => {
    const answers = (command: string): object | undefined =>
      command.startsWith('unshare')
        ? { code: 1, stdout: '', stderr: 'unshare: unshare failed: Operation not permitted' }
        : undefined;

    expect(lacking(await look({ answers }))).toEqual([
      expect.stringContaining(
        'namespaces: nothing can be done in them (unshare: unshare failed: Operation not permitted)',
      ),
    ]);
  });
});

describe('rules of netfilter', () => {
  /** A kernel without some modules: as restore and as single rules would tell. */
  const without = (variant: string, rules: RegExp) => (command: string, input: string) => {
    if (command.includes(`iptables-${variant}-restore`))
      return { code: 1, stdout: 'inside\n', stderr: 'iptables-restore: failed' };
    if (!command.includes(`iptables-${variant} `)) return undefined;
    const lines = input
      .split('\n')
      .map((rule) => (rules.test(rule) ? 'no: No chain/target/match by that name.' : ''));
    return { stdout: `inside\n${lines.join('\n')}` };
  };

  test('those that are refused are named, with who has such rules', async () => {
    const answers = without('nft', /owner|statistic/);
    const files = { '/lib/modules/6.8.0-31-generic/modules.dep': 'kernel/net/netfilter/xt_owner.ko.zst:\n' };
    const ubuntu = { answers, files, osRelease: 'ID=ubuntu\nID_LIKE=debian\n', kernel: '6.8.0-31-generic' };

    expect(lacking(await look(ubuntu))).toEqual([
      'rules by iptables-nft: no xt_owner (No chain/target/match by that name.); wanted: for Istio; mend: modprobe -a xt_owner',
      'rules by iptables-nft: no xt_statistic (No chain/target/match by that name.); wanted: for kube-proxy; mend: apt-get install linux-modules-extra-6.8.0-31-generic && modprobe -a xt_statistic',
    ]);
  });

  test('a kernel without ipset is refused only where k3s is put on the nodes', async () => {
    const answers = without('nft', /--match-set/);

    expect(lacking(await look({ answers }))).toEqual([]);
    expect(ofState(await look({ answers }), 'note').find((line) => line.includes('xt_set'))).toContain(
      'wanted: for LAB_DISTRIBUTION=k3s only',
    );
    expect(lacking(await look({ answers }, askedFor({ LAB_DISTRIBUTION: 'k3s' })))).toEqual([
      expect.stringContaining('rules by iptables-nft: no ip_set_hash_ip xt_set'),
    ]);
  });

  test('a kernel without the tables of iptables-legacy is refused only where iptables is that', async () => {
    const answers = without('legacy', /./);
    const legacy = (command: string, input: string): object | undefined =>
      command === 'iptables --version' ? { stdout: 'iptables v1.8.7 (legacy)' } : answers(command, input);

    expect(lacking(await look({ answers }))).toEqual([]);
    expect(lacking(await look({ answers: legacy }))).toEqual([
      expect.stringMatching(
        /^rules by iptables-legacy: none can be added \(No chain.*; mend: boot a kernel with iptable_filter/,
      ),
    ]);
  });
});
