import { join } from 'node:path';
import { messageOf, RefusedError } from '#lib/base/errors.ts';
import { stripVTControlCharacters } from 'node:util';
import { minutes, seconds, until } from '#lib/base/until.ts';
import { cloudConfig } from '#lib/machines/first-boot.ts';
import type { Machine } from '#lib/machines/machine.ts';
import type { LaunchOptions, MachineProvider, MachineSpec } from '#lib/machines/provider.ts';
import { multipass as onPath, type Multipass } from './cli.ts';
import { means } from './failure.ts';
import { multipassMachine, untilUsable } from './machine.ts';
import { records } from './records.ts';

export interface MultipassPlace {
  /** The lab, and its folder: what is made for it is written down there before it is made. */
  lab: { name: string; dir: string };
  /** What `multipass launch` is asked for, such as 24.04. */
  image?: string;
  /** How long a boot may take, and cloud-init after it; 10 minutes unless told. */
  patience?: number;
  /** How long an image may be downloaded and prepared before that; 30 minutes unless told. */
  preparing?: number;
  /** How long `multipass launch` may go on when the machine has booted; 30 seconds unless told. */
  grace?: number;
  multipass?: Multipass;
}

/** Written by the last of cloud-init's commands: `multipass launch` does not tell whether they went well. */
const booted = '/var/lib/istio-vm-conformance/first-boot';

/**
 * The end of a script in the lab's folder that removes the instances which it has made, for when the run that made them
 * cannot.
 *
 * @param how.backedHere whether the instances are machines in the lab's own namespaces, as the stand-in's are
 */
export const removingAll = (lab: string, { backedHere = false } = {}): string =>
  [
    ...(backedHere ? [unlessServiceIsGone] : []),
    'cd "$(dirname "$0")/multipass" 2>/dev/null || exit 0',
    'left=',
    'for name in *; do',
    '  [ -e "$name" ] || continue',
    `  instance="${instanceOf(lab, '')}$name" tries=600 gone=0`,
    // a client without an input may wait for ever, and what is still being launched cannot be deleted yet
    '  while :; do',
    '    : | multipass delete --purge "$instance" >/dev/null 2>&1',
    // while its image is prepared, only "set" knows of it; there can be none with 0 processors, so nothing is changed
    '    if : | multipass info "$instance" 2>&1 | grep -q "does not exist" &&',
    '      : | multipass set "local.$instance.cpus=0" 2>&1 | grep -q "No such instance"; then gone=$((gone + 1)); else gone=0; fi',
    // seen twice: a launch may have been under way when its client was killed
    '    [ $gone -lt 2 ] || break',
    '    tries=$((tries - 1)); [ $tries -gt 0 ] || { left="$left $instance"; break; }',
    '    sleep 1',
    '  done',
    'done',
    '[ -z "$left" ] || { echo "multipass still has$left." >&2; exit 1; }',
    '',
  ].join('\n');

/** What a service that is gone had, ends with the lab when it is backed by that. Asked twice: it may be away at first. */
const unlessServiceIsGone = '{ : | multipass list || : | multipass list; } >/dev/null 2>&1 || exit 0';

/** What multipass calls a machine of a lab. */
export const instanceOf = (lab: string, name: string): string =>
  lab === 'conformance' ? name : `${lab}-${name}`;

/**
 * Instances of multipass. Those of the lab `conformance` have the article's names, those of another lab its name
 * before them. An instance that the lab did not make is never touched, whatever it is called.
 */
export function multipassProvider({
  lab,
  image = '24.04',
  patience = minutes(10),
  preparing = minutes(30),
  grace = seconds(30),
  multipass = onPath(),
}: MultipassPlace): MachineProvider {
  const made = records(join(lab.dir, 'multipass'));
  const calls = (name: string): string => instanceOf(lab.name, name);
  const machine = (name: string): Machine => multipassMachine(multipass, name, calls(name));
  const remove = async (name: string): Promise<void> => {
    if (!made.has(name)) return;
    await multipass.remove(calls(name));
    await made.forget(name);
  };

  return {
    name: 'multipass',
    machine,
    remove,
    list: async () => {
      const seen = new Set((await multipass.list()).map(({ name }) => name));
      return made.names().filter((name) => seen.has(calls(name)));
    },
    launch: async (spec, options = {}) => {
      const { name } = spec;
      const instance = calls(name);
      await multipass.version();
      await refuseTaken(name, instance);
      options.signal?.throwIfAborted();
      const before = made.has(name);
      await made.note(name);
      try {
        await launchInstance(spec, instance, options);
        return machine(name);
      } catch (error) {
        if (means(error, 'exists', 'being prepared')) {
          // an earlier run of this lab was quicker, or somebody else, whose it is then
          if (!before) await made.forget(name);
          const way = 'wait until `multipass list` shows it and delete it, or give this run another LAB_NAME';
          throw new RefusedError(`Another launch makes ${instance} (${messageOf(error)}); ${way}.`, {
            cause: error,
          });
        }
        options.note?.('removing what was made');
        await multipass.remove(instance, { launching: true });
        await made.forget(name);
        throw error;
      }
    },
  };

  async function refuseTaken(name: string, instance: string): Promise<void> {
    const seen = await multipass.info(instance);
    if (!seen) return;
    if (made.has(name))
      throw new RefusedError(`Lab ${lab.name} has a machine ${name} already; remove it first.`);
    const way = 'delete it (multipass delete --purge), or give this run another LAB_NAME';
    throw new RefusedError(
      `multipass has an instance ${instance} (${seen.state}) that this lab did not make; ${way}.`,
    );
  }

  async function launchInstance(
    { name, size, firstBoot = {} }: MachineSpec,
    instance: string,
    { signal, note }: LaunchOptions,
  ): Promise<void> {
    const cloudInit = cloudConfig(firstBoot, { hostname: name, done: booted });
    const plan = { image, name: instance, size, cloudInit };
    const onLine = (line: string): void => {
      const text = plain(line);
      if (text) note?.(text);
    };
    const own = machine(name);
    note?.('launching');
    let gaveUp: unknown;
    const watch = watching(own, instance, note);
    await multipass
      .launch(plan, {
        within: preparing + 2 * patience,
        onLine,
        signal: AbortSignal.any([watch.signal, ...(signal ? [signal] : [])]),
      })
      .catch((error: unknown) => {
        // it gives up waiting for machines that come up after all: the machine is asked before it is believed
        if (!watch.signal.aborted && !means(error, 'timed out', 'unreachable', 'no service')) throw error;
        gaveUp = watch.signal.aborted ? watch.signal.reason : error;
      })
      .finally(watch.over);
    signal?.throwIfAborted();
    if (gaveUp === undefined) note?.('first boot');
    else if (watch.signal.aborted) note?.(messageOf(gaveUp));
    else note?.(`multipass gave up waiting; is ${instance} usable all the same?`);
    try {
      await untilUsable(multipass, own, instance, Math.min(patience, minutes(2)));
      await untilBooted(own, signal);
    } catch (error) {
      if (gaveUp === undefined) throw error;
      throw new Error(`${messageOf(gaveUp)}\nThe instance is of no use: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  /**
   * Looks at an instance while it is launched, without starting it: commands are run in it when it runs.
   *
   * @returns a signal for a launch whose client need not be waited for: the machine has booted some time ago, or it has
   *   had its time since the image was ready; the reason says which
   */
  function watching(
    own: Machine,
    instance: string,
    note?: (text: string) => void,
  ): { signal: AbortSignal; over: () => Promise<void> } {
    const enough = new AbortController();
    const over = new AbortController();
    let made: number | undefined;
    const look = async (): Promise<boolean> => {
      const state = await multipass.state(instance);
      if (over.signal.aborted) return false;
      if (state === undefined) note?.('downloading and preparing its image');
      else made ??= performance.now();
      if (state !== 'Running') return false;
      return (await own.attempt(['test', '-e', booted], { signal: over.signal })).code === 0;
    };
    let looking: Promise<unknown> | undefined;
    until(
      `${own.name} has booted while it is launched`,
      async () => {
        if (over.signal.aborted) return false;
        const seen = look();
        looking = seen.catch(() => undefined);
        return seen;
      },
      (hasBooted) => {
        over.signal.throwIfAborted();
        if (!hasBooted && made !== undefined && performance.now() - made > 2 * patience)
          throw new Error(
            `multipass launch ${instance} had not ended ${String(Math.round((2 * patience) / 1000))} s after the instance was made.`,
          );
        return hasBooted;
      },
      { within: preparing + 2 * patience, every: grace / 6, inARow: 7 },
    ).then(
      () => {
        enough.abort(new Error(`${instance} has booted, and its launch hangs: going on without it`));
      },
      (error: unknown) => {
        if (!over.signal.aborted) enough.abort(error);
      },
    );
    return {
      signal: enough.signal,
      // a command that is late would start a machine that was stopped meanwhile
      over: async () => {
        over.abort();
        await looking;
      },
    };
  }

  /** Waits for cloud-init, and asks whether all that it was told to do was done. */
  async function untilBooted(own: Machine, signal?: AbortSignal): Promise<void> {
    const script = [
      `[ ! -e ${booted} ] || exit 0`,
      'case $(cloud-init status 2>/dev/null) in *done* | *error*) ;; *) exit 3 ;; esac',
      `[ -e ${booted} ]`,
    ].join('\n');
    const { code } = await until(
      `cloud-init has come to its end in ${own.name}`,
      async () => own.attempt(['sh', '-c', script]),
      (seen) => {
        signal?.throwIfAborted();
        return seen.code !== 3;
      },
      { within: patience, every: 500 },
    );
    if (code === 0) return;
    const { stdout } = await own.attempt(['tail', '-n', '20', '/var/log/cloud-init-output.log']);
    throw new Error(
      `The first boot of ${own.name} did not come to its end; cloud-init said last: ${stdout.trim() || 'nothing'}`,
    );
  }
}

/** The last that a line of multipass shows on a terminal: its spinner writes and erases on the same line. */
function plain(line: string): string {
  const shown = stripVTControlCharacters(line)
    .split('\r')
    .findLast((part) => part.trim() !== '');
  return (shown ?? '').replaceAll(/.[\b]/g, '').trim().slice(-80);
}
