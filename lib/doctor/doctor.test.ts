import { describe, expect, test } from 'vitest';
import { RefusedError } from '#lib/base/errors.ts';
import { ownArchitecture } from '#lib/artifacts/architecture.ts';
import { examine, refuseLacking } from './examine.ts';
import { inWords, report } from './finding.ts';
import { askedFor, lacking, look, madeUp, ofState, tried, type Differences } from './made-up-host.ts';

describe('a host on which nothing is lacking', () => {
  test('a Debian 12 with version 2 of control groups', async () => {
    const findings = await look({});

    expect(lacking(findings)).toEqual([]);
    expect(ofState(findings, 'unknown')).toEqual([]);
  });

  test('version 1, with a version 2 beside it and no hugetlb', async () => {
    const findings = await look({
      files: {
        '/sys/fs/cgroup/cgroup.controllers': undefined,
        '/sys/fs/cgroup/unified/cgroup.controllers': '',
      },
      folders: {
        '/sys/fs/cgroup': ['cpu', 'cpuacct', 'cpu,cpuacct', 'cpuset', 'memory', 'pids', 'systemd', 'unified'],
      },
    });

    expect(lacking(findings)).toEqual([]);
    expect(findings.map(inWords)).toContain(
      'control groups: version 1 and version 2 beside it with cpu, cpuacct, cpuset, memory, pids',
    );
    expect(ofState(findings, 'note')).toContain('control groups: no hugetlb, which kubelet goes without');
  });

  test('a kernel without hugetlb on version 2', async () => {
    const findings = await look({
      files: { '/sys/fs/cgroup/cgroup.controllers': 'cpuset cpu io memory pids\n' },
    });

    expect(lacking(findings)).toEqual([]);
    expect(ofState(findings, 'note')).toContain('control groups: no hugetlb, which kubelet goes without');
  });

  test('SELinux, swap and an emulated VM are told, not refused', async () => {
    const swaps = 'Filename\tType\tSize\tUsed\tPriority\n/dev/sda2 partition 1 0 -2\n';
    const findings = await look({
      files: { '/sys/fs/selinux/enforce': '1', '/proc/swaps': swaps },
      devices: ['/dev/kmsg'],
    });

    expect(lacking(findings)).toEqual([]);
    expect(ofState(findings, 'note')).toEqual(
      expect.arrayContaining([
        'swap: on (/dev/sda2); kubelet is told not to mind',
        'SELinux: enforcing; a lab was never seen under it; mend: setenforce 0, if machines do not come up',
        'VM: emulated, as /dev/kvm does not open',
      ]),
    );
  });

  test('networks of the host that are a lab’s, too: a lab has its own', async () => {
    const routes = 'default via 10.42.0.1 dev eth0\n10.42.0.0/24 dev cni0 proto kernel\n';
    const answers = (command: string): { stdout: string } | undefined =>
      command === 'ip -4 route show' ? { stdout: routes } : undefined;
    const findings = await look({ answers });

    expect(lacking(findings)).toEqual([]);
    expect(ofState(findings, 'note').find((line) => line.startsWith('networks'))).toContain(
      'this host has 10.42.0.0/24 on cni0, which overlaps with 10.42.0.0/16 of a lab; no harm',
    );
  });
});

test.each<[string, Differences, string[]]>([
  [
    'not root',
    { root: false },
    [
      'user: not root; wanted: root, as machines, namespaces, images and packages are made; mend: sudo env PATH="$PATH" npx vitest run',
    ],
  ],
  [
    'an old Node.js (Ubuntu 22.04)',
    { node: 'v12.22.9' },
    ['Node.js: v12.22.9; wanted: 20.19 or newer; mend: https://nodejs.org/en/download'],
  ],
  [
    'controllers of version 2 that are not there',
    { files: { '/sys/fs/cgroup/cgroup.controllers': 'cpu io pids\n' } },
    [
      'control groups: version 2, without cpuset, memory; wanted: cpu, cpuset, memory, pids; mend: boot with cgroup_enable=memory on the command line of the kernel',
    ],
  ],
  [
    'control groups that cannot be written to',
    { readOnly: ['/sys/fs/cgroup'] },
    [
      'control groups: /sys/fs/cgroup cannot be written to; wanted: groups for each machine; mend: mount them writable (in a container: run it privileged, with its own control groups)',
    ],
  ],
  [
    'few watchers, fixed',
    {
      files: { '/proc/sys/fs/inotify/max_user_instances': '64\n' },
      readOnly: ['/proc/sys/fs/inotify/max_user_instances'],
    },
    [
      'fs.inotify.max_user_instances: 64, and it cannot be raised from here; wanted: 1024, as a lab takes about 45; mend: sysctl fs.inotify.max_user_instances=1024 (on the host of a container)',
    ],
  ],
  [
    'little memory',
    { files: { '/proc/meminfo': 'MemTotal:  2048000 kB\nMemAvailable:  1536000 kB\n' } },
    [
      'memory: 1.5 GiB of 2.0 GiB available; wanted: 8 GiB; a lab takes 4.0 GiB; mend: end what else runs, or take a machine with more',
    ],
  ],
  [
    'a container with little memory',
    {
      files: { '/sys/fs/cgroup/memory.max': '2147483648\n', '/sys/fs/cgroup/memory.current': '536870912\n' },
    },
    [
      'memory: 1.5 GiB of 2.0 GiB available; wanted: 8 GiB; a lab takes 4.0 GiB; mend: end what else runs, or take a machine with more',
    ],
  ],
  [
    'a small /tmp in memory (Debian 13)',
    { mounted: { '/tmp': { device: 2, freeMiB: 1024, inMemory: true } } },
    [
      'disk: 1.0 GiB free, in memory, for /tmp; wanted: 2.0 GiB; mend: make room, or let TMPDIR name a folder on a larger disk',
    ],
  ],
  [
    'no /dev/kmsg (a container)',
    { devices: [] },
    [
      '/dev/kmsg: does not open; wanted: kubelet reads it; mend: in a container: run it privileged, or with --device /dev/kmsg',
    ],
  ],
])('%s is refused, with what mends it', async (_title, host, lines) => {
  expect(lacking(await look(host))).toEqual(lines);
});

test('the disk is asked for less once everything is built', async () => {
  const mounted = { '/': { device: 1, freeMiB: 3000, inMemory: false } };
  const before = lacking(await look({ mounted }));
  const after = lacking(await look({ mounted, folders: { '/cache/artifacts': ['kubernetes-0a1b2c'] } }));

  expect(before).toEqual([expect.stringMatching(/^disk: 2\.9 GiB free for \/cache, \/root\/go\/pkg\/mod, /)]);
  expect(after).toEqual([]);
});

test('what takes packages to look at says so, and the packages are what is lacking', async () => {
  const findings = await look({ lacks: ['iptables-nft', 'xtables-nft-multi', 'nft'] });

  expect(lacking(findings)).toEqual([
    'Debian packages: missing: iptables, nftables; mend: apt-get update && apt-get install --yes --no-install-recommends --no-remove iptables nftables',
  ]);
  expect(ofState(findings, 'unknown')).toEqual([
    'rules by iptables-nft: not looked at, as iptables-nft is not installed yet',
    'rules by nft: not looked at, as nft is not installed yet',
  ]);
});

test('apt without a source is lacking where packages are, and told where only the VM is to be made', async () => {
  const answers = (command: string): object | undefined =>
    command.startsWith('apt-get indextargets') ? { stdout: '' } : undefined;
  const line = 'package sources: apt knows none';

  expect(lacking(await look({ answers }))).toEqual([]);
  expect(ofState(await look({ answers }), 'note').find((one) => one.startsWith(line))).toContain(
    'DEBIAN_MIRROR',
  );
  expect(lacking(await look({ answers, lacks: ['socat'] }))).toContain(
    `${line}; wanted: one with the packages that are missing; mend: add one to /etc/apt/sources.list.d`,
  );
});

test('elsewhere than on Debian the packages are named', async () => {
  expect(lacking(await look({ lacks: ['socat', 'apt-get'], osRelease: 'ID=fedora\n' }))).toEqual([
    expect.stringContaining("missing: socat; mend: the counterparts of Debian's packages"),
  ]);
});

test('no Go and an old Go are lacking', async () => {
  const old = (command: string): object | undefined =>
    command === 'go env GOVERSION' ? { stdout: 'go1.18.1\n' } : undefined;

  expect(lacking(await look({ lacks: ['go'] }))[0]).toContain('there is no go on PATH');
  expect(lacking(await look({ answers: old }))[0]).toContain('the go on PATH is go1.18.1');
});

test('containerd that is too old is lacking, in the words of the run that would refuse it', async () => {
  const says = (stdout: string) => (command: string) =>
    command === 'containerd --version' ? { stdout } : undefined;
  const docker = says('containerd containerd.io v2.2.1 dea7da592f5d1d2b7755e3a161be07f43fad8f75\n');
  const old = says('containerd github.com/containerd/containerd 1.5.9 \n');

  expect((await look({})).map(inWords)).toContain(
    'containerd: 1.6.20, which gets a configuration of version 2',
  );
  expect((await look({ answers: docker })).map(inWords)).toContain(
    'containerd: 2.2.1, which gets a configuration of version 3',
  );
  expect(lacking(await look({ answers: old }))).toEqual([
    "containerd: containerd 1.6, 1.7 or 2.x is needed on the nodes, and the containerd on PATH is 1.5.9; install containerd of Debian or Ubuntu, or Docker's containerd.io, and put it first on PATH",
  ]);
  expect(ofState(await look({ lacks: ['containerd'] }), 'unknown')).toContain(
    'containerd: not looked at, as containerd is not installed yet',
  );
});

test('the release source takes a container tool; others are told', async () => {
  expect(lacking(await look({ lacks: ['docker'] }))).toEqual([]);
  expect(lacking(await look({ lacks: ['docker'] }, askedFor({ ARTIFACT_SOURCE: 'release' })))).toEqual([
    expect.stringContaining('container tool: docker is not on PATH'),
  ]);
});

test('a VM of another architecture takes binfmt_misc', async () => {
  const other = ownArchitecture === 'x64' ? 'arm64' : 'x64';
  const files = { '/proc/filesystems': 'nodev\tproc\n' };
  const asked = askedFor({}, { vm: other });

  expect((await look({ files })).map(inWords).join('\n')).not.toContain('binfmt');
  expect(lacking(await look({ files }, asked))).toEqual([expect.stringContaining('binfmt_misc: not loaded')]);
});

test.each([
  [
    'local',
    {},
    ['Linux, as the machines of LAB_PROVIDER=local are its namespaces; mend: LAB_PROVIDER=existing'],
  ],
  ['multipass', {}, ['Linux, as the images that LAB_PROVIDER=multipass lays on its nodes are built here']],
  ['existing', {}, ['dpkg-deb; mend: ARTIFACT_SOURCE=release']],
  ['existing', { ARTIFACT_SOURCE: 'release' }, []],
])('on macOS what takes Linux of LAB_PROVIDER=%s is named', async (provider, env, wanted) => {
  const asked = askedFor({ LAB_PROVIDER: provider, ...env });
  const host = madeUp({
    system: 'darwin',
    root: provider !== 'existing',
    lacks: ['ip', 'unshare', 'apt-get'],
  });
  const lines = lacking(await examine(asked, host, tried)).filter((line) =>
    line.startsWith('system: darwin'),
  );

  expect(lines).toEqual(wanted.map((text) => expect.stringContaining(text) as string));
  if (wanted.length === 0) expect(lacking(await examine(asked, host, tried))).toEqual([]);
});

test('of a lab on machines of others no kernel features are asked', async () => {
  for (const provider of ['multipass', 'existing']) {
    const host = madeUp({ files: { '/sys/fs/cgroup/cgroup.controllers': undefined }, devices: [] });

    expect(lacking(await examine(askedFor({ LAB_PROVIDER: provider }), host, tried))).toEqual([]);
    expect(host.ran.filter((command) => command.startsWith('unshare'))).toEqual([]);
  }
});

test('instances of multipass must not be on the networks of the cluster', async () => {
  const answers = (command: string): object | undefined =>
    command === 'ip -4 route show'
      ? { stdout: '10.43.7.0/24 dev mpqemubr0 proto kernel\n10.42.0.0/24 dev cni0\n' }
      : undefined;

  expect(lacking(await look({ answers }, askedFor({ LAB_PROVIDER: 'multipass' })))).toEqual([
    'networks: this host has 10.43.7.0/24 on mpqemubr0, which overlaps with 10.43.0.0/16 of a lab; wanted: instances outside of the networks of the cluster; mend: give multipass another network (the address of mpqemubr0)',
  ]);
});

test('a run is refused in the words of the report', async () => {
  const findings = await look({ root: false, node: 'v18.0.0' });
  const line = 'Node.js: v18.0.0; wanted: 20.19 or newer; mend: https://nodejs.org/en/download';

  expect(report(findings)).toContain(`LACKING  ${line}\n`);
  expect(() => {
    refuseLacking(findings);
  }).toThrow(RefusedError);
  expect(() => {
    refuseLacking(findings);
  }).toThrow(line);
  expect(() => {
    refuseLacking([]);
  }).not.toThrow();
});

test('a check that cannot look is not passed over', async () => {
  const broken = { what: 'this', look: async () => Promise.reject(new Error('no end within 30 s')) };

  expect(await examine(askedFor(), madeUp(), [broken])).toEqual([
    { what: 'this', state: 'lacking', found: 'could not be looked at: no end within 30 s' },
  ]);
});
