import {
  CommandError,
  attempt as attemptHere,
  type Output,
  type Run,
  type RunOptions,
} from '#lib/base/command.ts';
import { msOf } from '#lib/base/deadline.ts';
import { ours } from '#lib/base/deadlines.ts';
import { seconds, until } from '#lib/base/until.ts';
import type { Size } from '#lib/base/settings.ts';
import { bytesIn, instanceIn, json, type Instance } from './answers.ts';
import { failureOf, means, MultipassError } from './failure.ts';
import { logins } from './logins.ts';
import { states } from './states.ts';
import { versionOf } from './usable.ts';

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
  /** Its state as it is now, such as Running, without a look inside. Undefined when there is no such instance. */
  state(name: string): Promise<string | undefined>;
  /** The size that an instance was given. Of a multipass that does not know, undefined. */
  given(name: string): Promise<Size | undefined>;
  list(): Promise<{ name: string; state: string; ipv4: string[] }[]>;
  /**
   * @param options.within all that it may take, the download of the image included. The service also gives the boot
   *   as long, and cloud-init after it.
   */
  launch(
    plan: LaunchPlan,
    options: { within: number; signal?: AbortSignal; onLine?: (line: string) => void },
  ): Promise<void>;
  /**
   * Runs a command as root; whatever ends the client, its output comes back.
   *
   * @throws MultipassError when the instance does not run: `multipass exec` would start it
   */
  exec(name: string, words: readonly string[], options?: RunOptions): Promise<Output>;
  /** Writes a file as the instance's ordinary user, from memory: a confined client cannot read every folder. */
  transfer(content: Uint8Array, name: string, path: string): Promise<void>;
  stop(name: string): Promise<void>;
  start(name: string): Promise<void>;
  restart(name: string): Promise<void>;
  /**
   * Removes an instance for good; it may be gone. Others that were deleted but not purged are left alone.
   *
   * @param launching whether a launch that has just failed or was called off may make it after all
   */
  remove(name: string, how?: { launching?: boolean }): Promise<void>;
  /** Of an instance that is stopped. */
  snapshot(name: string, label: string): Promise<void>;
  restore(name: string, label: string): Promise<void>;
}

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
  const described = async (name: string, how: readonly string[] = []): Promise<Instance | undefined> => {
    const text = await again(['info', name, '--format', 'json', ...how]).catch((error: unknown) => {
      if (means(error, 'absent')) return undefined;
      throw error;
    });
    return text === undefined ? undefined : instanceIn(text, name);
  };
  /** A change that multipass gave up waiting for counts as made if the instance is as it should be. */
  const changed = async (what: 'stop' | 'start' | 'restart', name: string, wanted: string): Promise<void> => {
    known.forget(name);
    try {
      await again([what, name], { within: ours.instanceChanges });
    } catch (error) {
      if (!means(error, 'timed out', 'unreachable')) throw error;
      if ((await state(name)) !== wanted) throw error;
    } finally {
      known.forget(name);
    }
  };
  const state = async (name: string): Promise<string | undefined> =>
    (await described(name, ['--no-runtime-information']))?.state;
  const known = states(state);
  const login = logins();
  const refuseUnlessRunning = async (name: string): Promise<void> => {
    const seen = await known.of(name);
    if (seen === 'Running' || seen === 'Delayed Shutdown') return;
    const stderr =
      seen === undefined
        ? `instance "${name}" does not exist`
        : `instance "${name}" is not running (${seen}), and exec would start it`;
    throw new MultipassError('exec', { stdout: '', stderr, code: 2 });
  };
  /** Whether a launch is still at work on its image and disk. Nothing is changed: no instance can have 0 processors. */
  const beingPrepared = async (name: string): Promise<boolean> =>
    again(['set', `local.${name}.cpus=0`]).then(
      () => false,
      (error: unknown) => {
        if (means(error, 'absent')) return false;
        if (means(error, 'being prepared')) return true;
        throw error;
      },
    );

  return {
    version: async () => versionOf(again),
    info: async (name) => described(name),
    state,
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
      // the client's own timer, over everything: 5 minutes unless told
      const patience = ['--timeout', String(Math.ceil(within / 1000))];
      const words = ['launch', image, '--name', name, ...sizes, ...patience, '--cloud-init', '-'];
      const options = {
        input: cloudInit,
        within: within + seconds(30),
        ...(signal === undefined ? {} : { signal }),
        ...(onLine === undefined ? {} : { onLine }),
      };
      await told(words, options).catch(async (error: unknown) => {
        // the service was away before it could begin: only then it can be asked once more
        if (!means(error, 'no service') || (await state(name)) !== undefined) throw error;
        await told(words, options);
      });
    },
    exec: async (name, words, options) =>
      served(
        'exec',
        async () => {
          await refuseUnlessRunning(name);
          const output = await login(name, options?.signal, async () =>
            ask(['exec', name, '--', 'sudo', ...words], options),
          );
          // then the command has not begun; whatever else is said is for the caller to judge
          if (output.code !== 0 && failureOf(output) === 'no service')
            throw new MultipassError('exec', output);
          return output;
        },
        msOf(options?.within ?? ours.command),
      ),
    transfer: async (content, name, path) => {
      await login(name, undefined, async () =>
        again(['transfer', '-', `${name}:${path}`], { input: content, within: ours.instanceTransfer }),
      );
    },
    stop: async (name) => changed('stop', name, 'Stopped'),
    start: async (name) => changed('start', name, 'Running'),
    restart: async (name) => changed('restart', name, 'Running'),
    remove: async (name, { launching = false } = {}) => {
      let last: unknown;
      const gone = async (): Promise<boolean> =>
        (await state(name)) === undefined && !(await beingPrepared(name));
      await until(
        `instance ${name} is gone`,
        async () => {
          if (await gone()) return true;
          // what is still being made, or stopped, cannot be deleted yet
          await told(['delete', '--purge', name], { within: ours.instanceDeletes }).catch(
            (error: unknown) => {
              last = error;
            },
          );
          return gone();
        },
        (seen) => seen,
        // once its image is there, a launch goes on without its client
        { within: launching ? ours.launchedGone : ours.instanceGone, every: 500, inARow: launching ? 3 : 1 },
      ).catch((error: unknown) => {
        throw means(last, 'absent') ? error : (last ?? error);
      });
      known.forget(name);
    },
    snapshot: async (name, label) => {
      await told(['snapshot', name, '--name', label], { within: ours.instanceChanges });
    },
    restore: async (name, label) => {
      await told(['restore', `${name}.${label}`, '--destructive'], { within: ours.instanceChanges });
    },
  };
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
