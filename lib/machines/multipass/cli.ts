import {
  CommandError,
  attempt as attemptHere,
  type Output,
  type Run,
  type RunOptions,
} from '#lib/base/command.ts';
import { msOf } from '#lib/base/deadline.ts';
import { ours } from '#lib/base/deadlines.ts';
import { messageOf, RefusedError } from '#lib/base/errors.ts';
import { minutes, seconds, until } from '#lib/base/until.ts';
import type { Size } from '#lib/base/settings.ts';
import { failureOf, means, MultipassError } from './failure.ts';

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

export interface LaunchPlan {
  image: string;
  name: string;
  size: Size;
  /** A document for cloud-init. */
  cloudInit: string;
}

/** All of multipass that the harness touches. Every method throws MultipassError with what multipass said. */
export interface Multipass {
  /** Of the client and of the service, such as 1.15.0. @throws RefusedError when multipass cannot be used, with the way out */
  version(): Promise<{ client: string; service: string }>;
  /** Undefined when there is no such instance. */
  info(name: string): Promise<Instance | undefined>;
  /** The size that an instance was given. Of a multipass that does not know, undefined. */
  given(name: string): Promise<Size | undefined>;
  list(): Promise<{ name: string; state: string; ipv4: string[] }[]>;
  launch(
    plan: LaunchPlan,
    options: { within: number; signal?: AbortSignal; onLine?: (line: string) => void },
  ): Promise<void>;
  /** Runs a command as root; whatever ends the client, its output comes back. */
  exec(name: string, words: readonly string[], options?: RunOptions): Promise<Output>;
  /** Writes a file as the instance's ordinary user, from memory: a confined client cannot read every folder. */
  transfer(content: Uint8Array, name: string, path: string): Promise<void>;
  stop(name: string): Promise<void>;
  start(name: string): Promise<void>;
  restart(name: string): Promise<void>;
  /**
   * Removes an instance for good; it may be gone. Others that were deleted but not purged are left alone.
   *
   * @param atWork whether a launch that was called off may make it after all, so that it must stay gone for a while
   */
  remove(name: string, how?: { atWork?: boolean }): Promise<void>;
  /** Of an instance that is stopped. @throws RefusedError when this multipass has no snapshots */
  snapshot(name: string, label: string): Promise<void>;
  restore(name: string, label: string): Promise<void>;
}

const oldest = [1, 10] as const;
const withSnapshots = [1, 13] as const;

/** The `multipass` on PATH, or another program that speaks its language. */
export function multipass(attempt: Run = attemptHere, program = 'multipass'): Multipass {
  const ask = async (words: readonly string[], options: RunOptions = {}): Promise<Output> =>
    // a client that has neither a terminal nor the end of an input may wait for ever
    attempt([program, ...words], { input: '', ...options });
  const told = async (words: readonly string[], options?: RunOptions): Promise<string> => {
    const command = words[0] ?? '';
    const output = await ask(words, options).catch((error: unknown) => {
      if (error instanceof CommandError && error.message.startsWith('Timed out after'))
        throw new MultipassError(command, { ...error.output, stderr: error.message }, 'timed out');
      throw error;
    });
    if (output.code !== 0) throw new MultipassError(command, output);
    return output.stdout;
  };
  /** For what does no harm twice. */
  const again = async (words: readonly string[], options?: RunOptions): Promise<string> =>
    served(words[0] ?? '', async () => told(words, options), msOf(options?.within ?? 0));
  const stated = async (name: string): Promise<Instance | undefined> => {
    const text = await again(['info', name, '--format', 'json']).catch((error: unknown) => {
      if (means(error, 'absent')) return undefined;
      throw error;
    });
    return text === undefined ? undefined : instanceIn(text, name);
  };
  /** A change that multipass gave up waiting for counts as made if the instance is as it should be. */
  const changed = async (what: 'stop' | 'start' | 'restart', name: string, state: string): Promise<void> => {
    try {
      await again([what, name], { within: minutes(5) });
    } catch (error) {
      if (!means(error, 'timed out', 'unreachable')) throw error;
      if ((await stated(name))?.state !== state) throw error;
    }
  };
  const needSnapshots = async (): Promise<void> => {
    const { service } = await cli.version();
    if (before(service, withSnapshots))
      throw new RefusedError(
        `multipass ${service} has no snapshots; they came with ${withSnapshots.join('.')}.`,
      );
  };

  const cli: Multipass = {
    version: async () => {
      const text = await again(['version', '--format', 'json']).catch((error: unknown) => {
        throw new RefusedError(unusable(error), { cause: error });
      });
      const { multipass: client = '', multipassd: service = client } = json<Record<string, string>>(
        'version',
        text,
      );
      if (before(service, oldest))
        throw new RefusedError(`multipass ${service} is too old: ${oldest.join('.')} or newer is needed.`);
      return { client, service };
    },
    info: stated,
    given: async (name) => {
      const keys = ['cpus', 'memory', 'disk'].map((what) => `local.${name}.${what}`);
      try {
        const [cpus = '', memory = '', disk = ''] = await Promise.all(
          keys.map(async (key) => again(['get', key])),
        );
        return {
          cpus: Number(cpus),
          memoryMiB: bytesIn(memory) / 1024 ** 2,
          diskGiB: bytesIn(disk) / 1024 ** 3,
        };
      } catch (error) {
        if (means(error, 'other')) return undefined;
        throw error;
      }
    },
    list: async () => {
      const text = await again(['list', '--format', 'json']);
      const { list } = json<{ list?: { name: string; state: string; ipv4?: string[] }[] }>('list', text);
      return (list ?? []).map(({ name, state, ipv4 = [] }) => ({ name, state, ipv4 }));
    },
    launch: async ({ image, name, size, cloudInit }, { within, signal, onLine }) => {
      const { cpus, memoryMiB, diskGiB } = size;
      const sizes = [
        '--cpus',
        String(cpus),
        '--memory',
        `${String(memoryMiB)}M`,
        '--disk',
        `${String(diskGiB)}G`,
      ];
      const patience = ['--timeout', String(Math.ceil(within / 1000))];
      const words = ['launch', image, '--name', name, ...sizes, ...patience, '--cloud-init', '-'];
      const options = {
        input: cloudInit,
        // it waits once for the boot and once for cloud-init
        within: 2 * within + seconds(30),
        ...(signal === undefined ? {} : { signal }),
        ...(onLine === undefined ? {} : { onLine }),
      };
      await told(words, options).catch(async (error: unknown) => {
        // the service was away before it could begin: only then it can be asked once more
        if (!means(error, 'no service') || (await stated(name)) !== undefined) throw error;
        await told(words, options);
      });
    },
    exec: async (name, words, options) =>
      served(
        'exec',
        async () => {
          const output = await ask(['exec', name, '--', 'sudo', ...words], options);
          // then the command has not begun; whatever else is said is for the caller to judge
          if (output.code !== 0 && failureOf(output) === 'no service')
            throw new MultipassError('exec', output);
          return output;
        },
        msOf(options?.within ?? ours.command),
      ),
    transfer: async (content, name, path) => {
      await again(['transfer', '-', `${name}:${path}`], { input: content, within: minutes(10) });
    },
    stop: async (name) => changed('stop', name, 'Stopped'),
    start: async (name) => changed('start', name, 'Running'),
    restart: async (name) => changed('restart', name, 'Running'),
    remove: async (name, { atWork = false } = {}) => {
      let last: unknown;
      await until(
        `instance ${name} is gone`,
        async () => {
          if ((await stated(name)) === undefined) return true;
          // what is still being made, or stopped, cannot be deleted yet
          await told(['delete', '--purge', name], { within: minutes(2) }).catch((error: unknown) => {
            last = error;
          });
          return (await stated(name)) === undefined;
        },
        (gone) => gone,
        { within: minutes(3), every: 500, inARow: atWork ? 3 : 1 },
      ).catch((error: unknown) => {
        throw last ?? error;
      });
    },
    snapshot: async (name, label) => {
      await needSnapshots();
      await told(['snapshot', name, '--name', label], { within: minutes(5) });
    },
    restore: async (name, label) => {
      await needSnapshots();
      await told(['restore', `${name}.${label}`, '--destructive'], { within: minutes(5) });
    },
  };
  return cli;
}

interface Info {
  state?: string;
  ipv4?: string[];
  cpu_count?: string;
  memory?: { total?: number | string };
  disks?: Record<string, { total?: number | string }>;
  snapshot_count?: string;
}

function instanceIn(text: string, name: string): Instance {
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
function bytesIn(text: string): number {
  const [, number, unit = ''] = /^([\d.]+)(?:([KMG])iB|B)?$/.exec(text.trim()) ?? [];
  if (number === undefined)
    throw new Error(`multipass get told a size that is none: ${text.trim().slice(0, 100)}`);
  return Number(number) * 1024 ** ' KMG'.indexOf(unit || ' ');
}

/** The JSON in what multipass said; a notice of an update may stand before it. */
function json<T>(command: string, text: string): T {
  try {
    return JSON.parse(text.slice(Math.max(0, text.indexOf('{')))) as T;
  } catch (cause) {
    const how = `multipass ${command} was asked for JSON and said: ${text.trim().slice(0, 400) || 'nothing'}`;
    throw new Error(how, { cause });
  }
}

function before(version: string, [major, minor]: readonly [number, number]): boolean {
  const [seenMajor = 0, seenMinor = 0] = version.split('.').map(Number);
  return seenMajor < major || (seenMajor === major && seenMinor < minor);
}

function unusable(error: unknown): string {
  if (error instanceof CommandError)
    return 'There is no multipass on PATH; install it (https://multipass.run/install), or choose another LAB_PROVIDER.';
  const why = messageOf(error);
  if (means(error, 'not authenticated')) return `${why} Run \`multipass authenticate\` once as this user.`;
  return `multipass cannot be used: ${why}. Its service must run, and this user must reach its socket.`;
}

/**
 * Asks once more while the service is starting anew, as it does when its package is updated.
 *
 * @param within what the call may take; the service has half a minute more
 */
async function served<T>(command: string, call: () => Promise<T>, within: number): Promise<T> {
  const asked = async (): Promise<{ answer: T } | { error: unknown }> => {
    try {
      return { answer: await call() };
    } catch (error) {
      if (means(error, 'no service')) throw error;
      return { error };
    }
  };
  // hardly ever is there something to wait for
  const said = await asked().catch(async () =>
    until(`multipass ${command} finds its service`, asked, () => true, {
      within: within + seconds(30),
      every: 500,
    }),
  );
  if ('error' in said) throw said.error;
  return said.answer;
}
