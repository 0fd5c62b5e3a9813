import type { Output } from '#lib/base/command.ts';
import { settings } from '#lib/base/settings.ts';
import { checks } from './checks.ts';
import { examine, isLacking } from './examine.ts';
import { inWords, type Asked, type Finding } from './finding.ts';
import type { FileSystem, Host } from './host.ts';
import { labs } from './labs.ts';

/** For the tests of doctor: how a made-up host differs from a Debian 12 on which nothing is lacking. */
export interface Differences extends Partial<
  Pick<Host, 'root' | 'osRelease' | 'system' | 'kernel' | 'node'>
> {
  /** Programs and files that are missing. */
  lacks?: readonly string[];
  /** The text of files; undefined for one that is not there. */
  files?: Readonly<Record<string, string | undefined>>;
  /** The names in folders. */
  folders?: Readonly<Record<string, readonly string[]>>;
  readOnly?: readonly string[];
  devices?: readonly string[];
  /** File systems by the folder they are mounted on; all else is on one with 100 GiB free. */
  mounted?: Readonly<Record<string, Omit<FileSystem, 'folder'>>>;
  /** What a command answers, by a pattern of its words and its input; undefined leaves it to the others. */
  answers?: (command: string, input: string) => Partial<Output> | undefined;
}

const v2 = '/sys/fs/cgroup/cgroup.controllers';

const debian12 = {
  '/proc/meminfo': 'MemTotal:       16384000 kB\nMemAvailable:   15000000 kB\n',
  '/proc/swaps': 'Filename\tType\tSize\tUsed\tPriority\n',
  '/proc/sys/fs/inotify/max_user_instances': '1024\n',
  '/proc/filesystems': 'nodev\tbinfmt_misc\n',
  [v2]: 'cpuset cpu io memory hugetlb pids rdma misc\n',
};

const answer = (some: Partial<Output>): Output => ({ stdout: '', stderr: '', code: 0, ms: 1, ...some });

/** A host that is not there. What is tried in namespaces works, unless `answers` says otherwise. */
export function madeUp(differences: Differences = {}): Host & { ran: string[] } {
  const { lacks = [], folders = {}, readOnly = [], mounted = {}, answers, ...rest } = differences;
  const files: Readonly<Record<string, string | undefined>> = { ...debian12, ...differences.files };
  const ran: string[] = [];
  const run: Host['attempt'] = async (words, { input = '' } = {}) => {
    const command = words.join(' ');
    ran.push(command);
    return Promise.resolve(answer(answers?.(command, input) ?? usual(command) ?? {}));
  };
  return {
    ran,
    root: true,
    osRelease: 'ID=debian\nVERSION_ID="12"\n',
    system: 'linux',
    kernel: '6.1.0-40-amd64',
    node: 'v20.19.0',
    temporary: '/tmp',
    has: (what) => !lacks.includes(what),
    run: async (words) => run(words),
    attempt: run,
    read: (file) => files[file],
    list: (folder) => [...(folders[folder] ?? [])],
    writable: (path) => !readOnly.includes(path),
    opens: (device) => (differences.devices ?? ['/dev/kmsg', '/dev/kvm']).includes(device),
    fileSystem: async (folder) => {
      const [, found] = Object.entries(mounted).find(([on]) => folder.startsWith(on)) ?? [];
      return Promise.resolve({
        folder,
        ...(found ?? { device: 1, freeMiB: 100 * 1024, inMemory: false }),
      });
    },
    ...rest,
  };
}

/** What the programs of that Debian say. */
function usual(command: string): Partial<Output> | undefined {
  if (command === 'go env GOVERSION') return { stdout: 'go1.24.4\n' };
  if (command.startsWith('go env GOMODCACHE')) return { stdout: '/root/go/pkg/mod\n/root/.cache/go-build\n' };
  if (command === 'containerd --version')
    return { stdout: 'containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1+deb12u3\n' };
  if (command.startsWith('apt-get indextargets')) return { stdout: 'a-mirror\n' };
  if (command === 'iptables --version') return { stdout: 'iptables v1.8.9 (nf_tables)\n' };
  if (command.includes('ip tuntap add')) return { stdout: goodParts };
  if (command.startsWith('unshare')) return { stdout: 'inside\n' };
  return undefined;
}

const goodParts = ['mounts', '/proc', '/proc/sys', 'bridge', 'veth', 'tun', 'network namespaces', 'overlay']
  .map((what) => `good ${what}\n`)
  .join('');

/** A run with the default settings on that host, but for these of the environment. */
export function askedFor(env: Record<string, string> = {}, changes: Partial<Asked> = {}): Asked {
  const all = settings({ LAB_CACHE: '/cache', ...env });
  const machinesHere = ['auto', 'local'].includes(all.lab.provider);
  return { settings: all, machinesHere, vm: machinesHere ? 'x64' : undefined, stands: false, ...changes };
}

/** All but what looks at the labs of the machine that this test runs on. */
export const tried = checks.filter((check) => check !== labs);

export const look = async (host: Differences, asked: Asked = askedFor()): Promise<Finding[]> =>
  examine(asked, madeUp(host), tried);
export const lacking = (findings: readonly Finding[]): string[] => findings.filter(isLacking).map(inWords);
export const ofState = (findings: readonly Finding[], state: Finding['state']): string[] =>
  findings.filter((one) => one.state === state).map(inWords);
