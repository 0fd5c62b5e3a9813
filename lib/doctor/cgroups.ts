import type { Check, Finding } from './finding.ts';
import type { Host } from './host.ts';

const top = '/sys/fs/cgroup';

/** Without these kubelet does not start (pkg/kubelet/cm of Kubernetes), or a machine gets no size. */
const needed = { 1: ['cpu', 'cpuacct', 'cpuset', 'memory', 'pids'], 2: ['cpu', 'cpuset', 'memory', 'pids'] };

/** The control groups that there are: the versions in use, the controllers, and the folders of the hierarchies. */
function hierarchies(host: Host): {
  version: 1 | 2;
  found: string;
  controllers: string[];
  folders: string[];
} {
  const unified = host.read(`${top}/cgroup.controllers`);
  if (unified !== undefined)
    return { version: 2, found: 'version 2', controllers: unified.trim().split(/\s+/), folders: [top] };
  const names = host.list(top);
  const beside = host.read(`${top}/unified/cgroup.controllers`) !== undefined;
  // a hierarchy of several controllers has a link or a folder for each
  const controllers = names.flatMap((name) => name.split(',')).filter((name) => /^[a-z_]+$/.test(name));
  const found = `version 1${beside ? ' and version 2 beside it' : ''}`;
  const folders = names.filter((name) => needed[1].includes(name)).map((name) => `${top}/${name}`);
  return { version: 1, found, controllers, folders };
}

export const cgroups: Check = {
  what: 'control groups',
  when: ({ machinesHere }) => machinesHere,
  look: async (host) => {
    const what = 'control groups';
    const { version, found, controllers, folders } = hierarchies(host);
    const lacks = needed[version].filter((name) => !controllers.includes(name));
    const wanted = needed[version].join(', ');
    if (lacks.length > 0)
      return [
        { what, state: 'lacking', found: `${found}, without ${lacks.join(', ')}`, wanted, mend: mend(lacks) },
      ];
    const closed = folders.filter((folder) => !host.writable(folder));
    if (closed.length > 0) {
      const mended = 'mount them writable (in a container: run it privileged, with its own control groups)';
      return [
        {
          what,
          state: 'lacking',
          found: `${closed.join(', ')} cannot be written to`,
          wanted: 'groups for each machine',
          mend: mended,
        },
      ];
    }
    return Promise.resolve([
      { what, state: 'good', found: `${found} with ${wanted}` },
      ...withoutHugetlb(controllers),
    ]);
  },
};

/** Kernels without it are fine with kubelet: it asks for what the kernel has. */
const withoutHugetlb = (controllers: readonly string[]): Finding[] =>
  controllers.includes('hugetlb')
    ? []
    : [{ what: 'control groups', state: 'note', found: 'no hugetlb, which kubelet goes without' }];

const mend = (lacks: readonly string[]): string =>
  lacks.includes('memory')
    ? 'boot with cgroup_enable=memory on the command line of the kernel'
    : `boot a kernel with, or mount, the controllers ${lacks.join(', ')}`;
