import { join } from 'node:path';
import type { Asked, Check, Finding } from './finding.ts';
import type { FileSystem, Host } from './host.ts';

/** What a lab was seen to take at its peak, with claims running, and what it may use well. In MiB. */
const memoryOfLab = { least: 4096, well: 7680 };

/** What was seen to be written, in MiB: by the first build, with what it leaves in Go's caches, and by a lab. */
const written = { artifacts: 5500, modules: 7000, compiled: 8000, temporary: 2000, lab: 2000 };

const gib = (mib: number): string => `${(mib / 1024).toFixed(1)} GiB`;

const memory: Check = {
  what: 'memory',
  when: ({ machinesHere }) => machinesHere,
  look: async (host, { stands }) => {
    const what = 'memory';
    const { total, available } = memoryOf(host);
    const found = `${gib(available)} of ${gib(total)} available`;
    const wanted = '8 GiB';
    if (stands) return [{ what, state: 'good', found: `${found}, with the lab running` }];
    if (available < memoryOfLab.least) {
      const mend = 'end what else runs, or take a machine with more';
      return [
        { what, state: 'lacking', found, wanted: `${wanted}; a lab takes ${gib(memoryOfLab.least)}`, mend },
      ];
    }
    return Promise.resolve([{ what, state: available < memoryOfLab.well ? 'note' : 'good', found, wanted }]);
  },
};

/** What programs may take here, in MiB: what the machine has, or what the control group that we are in allows. */
function memoryOf(host: Host): { total: number; available: number } {
  const told = host.read('/proc/meminfo') ?? '';
  const of = (name: string): number =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(told)?.[1]) / 1024;
  const limit = Number(host.read('/sys/fs/cgroup/memory.max') ?? Number.NaN) / 2 ** 20;
  const used = Number(host.read('/sys/fs/cgroup/memory.current') ?? Number.NaN) / 2 ** 20;
  const [total, available] = [of('MemTotal'), of('MemAvailable')];
  return limit < total
    ? { total: limit, available: Math.min(available, limit - used) }
    : { total, available };
}

const swap: Check = {
  what: 'swap',
  when: ({ machinesHere }) => machinesHere,
  look: async (host) => {
    const areas = (host.read('/proc/swaps') ?? '').trim().split('\n').slice(1);
    if (areas.length === 0) return [{ what: 'swap', state: 'good', found: 'off' }];
    const found = `on (${areas.map((line) => line.split(/\s+/)[0]).join(', ')}); kubelet is told not to mind`;
    return Promise.resolve([{ what: 'swap', state: 'note', found }]);
  },
};

interface Need {
  folder: string;
  needMiB: number;
  /** The variable that moves it elsewhere. */
  variable: string;
}

const disk: Check = {
  what: 'disk',
  takes: ['go'],
  look: async (host, asked) => {
    const needs = await needsOf(host, asked);
    const placed = await Promise.all(
      needs.map(async (need) => ({ ...need, on: await host.fileSystem(need.folder) })),
    );
    const devices = [...new Set(placed.map(({ on }) => on.device))];
    return devices.map((device) => roomOn(placed.filter(({ on }) => on.device === device)));
  },
};

/** What a run writes where. What the first build leaves is there already when its largest part is. */
async function needsOf(host: Host, { settings, machinesHere }: Asked): Promise<Need[]> {
  const { cache } = settings.lab;
  const built = host.list(join(cache, 'artifacts')).some((name) => /^kubernetes-[0-9a-f]+$/.test(name));
  const lab = machinesHere ? written.lab : 0;
  if (built) {
    return [
      { folder: cache, needMiB: lab, variable: 'LAB_CACHE' },
      { folder: host.temporary, needMiB: 256, variable: 'TMPDIR' },
    ];
  }
  const { stdout } = await host.attempt(['go', 'env', 'GOMODCACHE', 'GOCACHE']);
  const [modules = '', compiled = ''] = stdout.split('\n');
  const fetched = host.list(join(modules, 'cache/download/k8s.io/kubernetes/@v')).length > 0;
  return [
    { folder: cache, needMiB: written.artifacts + lab, variable: 'LAB_CACHE' },
    { folder: modules, needMiB: fetched ? 0 : written.modules, variable: 'GOMODCACHE' },
    { folder: compiled, needMiB: fetched ? 0 : written.compiled, variable: 'GOCACHE' },
    { folder: host.temporary, needMiB: written.temporary, variable: 'TMPDIR' },
  ];
}

function roomOn(needs: readonly (Need & { on: FileSystem })[]): Finding {
  const needMiB = needs.reduce((sum, one) => sum + one.needMiB, 0);
  const { freeMiB = 0, inMemory = false } = needs[0]?.on ?? {};
  const folders = needs.map(({ folder }) => folder).join(', ');
  const found = `${gib(freeMiB)} free${inMemory ? ', in memory,' : ''} for ${folders}`;
  const wanted = gib(needMiB);
  if (freeMiB >= needMiB) return { what: 'disk', state: 'good', found, wanted };
  const variables = needs.filter((one) => one.needMiB > 0).map(({ variable }) => variable);
  const mend = `make room, or let ${variables.join(', ')} name a folder on a larger disk`;
  return { what: 'disk', state: 'lacking', found, wanted, mend };
}

export const room: readonly Check[] = [memory, swap, disk];
