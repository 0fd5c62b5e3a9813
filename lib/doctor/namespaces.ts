import { firstLine, type Check, type Finding } from './finding.ts';
import type { Host } from './host.ts';
import { mendModules } from './modules.ts';

/** Words that run a script of sh in namespaces like those of a lab and of its nodes; all that it makes is gone with it. */
export const inNamespaces = (script: string, ...words: string[]): string[] => [
  ...['unshare', '--mount', '--net', '--pid', '--uts', '--ipc', '--cgroup', '--fork', '--kill-child=KILL'],
  ...['sh', '-c', script, '-', ...words],
];

interface Part {
  what: string;
  /** What is done in a namespace to see whether it works; $folder is one on the file system of the cache. */
  tried: string;
  for: string;
  /** The modules of the kernel that it takes. */
  modules?: string[];
  mend?: string;
}

/** What lab-init.sh, node-init.sh and containerd do, in this order. */
const parts: readonly Part[] = [
  { what: 'mounts', tried: 'mount -t tmpfs -o mode=755 tmpfs /run', for: 'a lab in namespaces of its own' },
  { what: '/proc', tried: 'mount -t proc proc /proc', for: 'a lab in namespaces of its own' },
  {
    what: '/proc/sys',
    tried: 'sysctl -qw net.ipv4.ip_forward=1',
    for: 'nodes, which forward packets',
    mend: 'mount -o remount,rw /proc/sys (in a container: run it privileged)',
  },
  {
    what: 'bridge',
    tried: 'ip link add br0 type bridge',
    for: 'the network of the machines',
    modules: ['bridge'],
  },
  {
    what: 'veth',
    tried: 'ip link add to-a type veth peer name eth0',
    for: 'nodes and pods',
    modules: ['veth'],
  },
  { what: 'tun', tried: 'ip tuntap add tap-vm mode tap', for: 'the VM', modules: ['tun'] },
  {
    what: 'network namespaces',
    tried: 'mkdir -p /run/netns && ip netns add node',
    for: 'nodes and pods',
  },
  {
    what: 'overlay',
    tried: `dir=$(mktemp -d "$folder/.doctor-XXXXXX") || exit 1
trap 'cd /; umount "$dir/merged" 2>/dev/null; rm -rf "$dir"' EXIT
cd "$dir" && mkdir lower upper work merged &&
mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay merged && touch merged/written`,
    for: 'containers, on the file system of the cache',
    modules: ['overlay'],
  },
];

const script = [
  'folder=$1',
  'look() { if said=$( (eval "$2") 2>&1 ); then echo "good $1"; else echo "no $1: $(echo "$said" | head -n 1)"; fi; }',
  ...parts.map(({ what, tried }) => `look '${what}' '${tried.replaceAll("'", `'\\''`)}'`),
].join('\n');

export const namespaces: Check = {
  what: 'namespaces',
  when: ({ machinesHere }) => machinesHere,
  takes: ['unshare', 'ip', 'sysctl'],
  root: true,
  look: async (host, { settings }) => {
    const { stdout, stderr } = await host.attempt(
      inNamespaces(script, await standing(host, settings.lab.cache)),
    );
    const lines = stdout.split('\n');
    const answers = parts.map((part) => ({
      ...part,
      good: lines.includes(`good ${part.what}`),
      said: lines.find((line) => line.startsWith(`no ${part.what}: `))?.replace(/^no [^:]+: /, ''),
    }));
    const refused = answers.filter(({ good }) => !good);
    if (refused.length === 0)
      return [
        {
          what: 'namespaces',
          state: 'good',
          found: `${parts.map(({ what }) => what).join(', ')} work in them`,
        },
      ];
    if (refused.length === parts.length) return [allRefused(host, refused[0]?.said ?? stderr)];
    return refused.map(({ what, said, modules, mend, ...part }) => ({
      what,
      state: 'lacking',
      found: said ?? 'nothing was said',
      wanted: part.for,
      ...(modules ? { mend: mendModules(host, modules) } : mend === undefined ? {} : { mend }),
    }));
  },
};

/** The folder nearest to one that may not be there yet. */
const standing = async (host: Host, folder: string): Promise<string> =>
  (await host.fileSystem(folder)).folder;

/** AppArmor may take all that root may do from what unshare starts, as Ubuntu's profile of 25.04 does. */
function allRefused(host: Host, said: string): Finding {
  const profile = /^unshare \(enforce\)/m.test(host.read('/sys/kernel/security/apparmor/profiles') ?? '');
  const why = firstLine(said);
  return {
    what: 'namespaces',
    state: 'lacking',
    found: `nothing can be done in them (${why})${profile ? ": AppArmor's profile unshare takes from root what it needs" : ''}`,
    wanted: 'mounts and a network of its own for a lab',
    mend: profile
      ? 'apparmor_parser -R /etc/apparmor.d/unshare-userns-restrict'
      : 'in a container: run it privileged; elsewhere: run it as the root of the host',
  };
}
