import type { Size } from '#lib/base/settings.ts';

/** How multipass describes an instance. */
export interface Instance {
  name: string;
  /** Running, Stopped, Starting, Restarting, Deleted, Suspended, Unknown and so on. */
  state: string;
  /** What multipass takes for its addresses: those of bridges in it too, and after a restart perhaps the old one. */
  ipv4: string[];
  /** Undefined when it does not run. */
  size: Size | undefined;
  snapshots: number;
}

interface Info {
  state?: string;
  ipv4?: string[];
  cpu_count?: string;
  memory?: { total?: number | string };
  disks?: Record<string, { total?: number | string }>;
  snapshot_count?: string;
}

/** What `multipass info <name> --format json` tells. @throws Error when it tells nothing of that instance */
export function instanceIn(text: string, name: string): Instance {
  const found = json<{ info?: Record<string, Info> }>('info', text).info?.[name];
  if (!found) throw new Error(`multipass info told nothing of ${name}: ${text.slice(0, 400)}`);
  const {
    state = 'Unknown',
    ipv4 = [],
    cpu_count: cpus = '',
    memory,
    disks = {},
    snapshot_count: snapshots,
  } = found;
  const [disk] = Object.values(disks);
  const measured = {
    cpus: Number(cpus),
    memoryMiB: Number(memory?.total ?? Number.NaN) / 1024 ** 2,
    diskGiB: Number(disk?.total ?? Number.NaN) / 1024 ** 3,
  };
  const size = cpus !== '' && memory?.total !== undefined ? measured : undefined;
  return { name, state, ipv4, size, snapshots: Number(snapshots ?? 0) };
}

/** An amount as multipass writes it for people, such as 8.0GiB. @throws Error when it is none */
export function bytesIn(text: string): number {
  const [, number, unit = ''] = /^([\d.]+)(?:([KMG])iB|B)?$/.exec(text.trim()) ?? [];
  if (number === undefined)
    throw new Error(`multipass get told a size that is none: ${text.trim().slice(0, 100)}`);
  return Number(number) * 1024 ** ' KMG'.indexOf(unit || ' ');
}

/** The JSON in what multipass said; a notice of an update may stand before it. @throws Error when there is none */
export function json<T>(command: string, text: string): T {
  try {
    return JSON.parse(text.slice(Math.max(0, text.indexOf('{')))) as T;
  } catch (cause) {
    const how = `multipass ${command} was asked for JSON and said: ${text.trim().slice(0, 400) || 'nothing'}`;
    throw new Error(how, { cause });
  }
}

/** Whether a version such as 1.12.2 or 1.16.0-dev.1 is older than that. */
export function before(version: string, [major, minor]: readonly [number, number]): boolean {
  const [seenMajor = 0, seenMinor = 0] = version.split('.').map(Number);
  return seenMajor < major || (seenMajor === major && seenMinor < minor);
}
