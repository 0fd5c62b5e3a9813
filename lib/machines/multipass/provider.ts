import { join } from 'node:path';
import { messageOf, RefusedError } from '#lib/base/errors.ts';
import { minutes, seconds, until } from '#lib/base/until.ts';
import { cloudConfig } from '#lib/machines/first-boot.ts';
import type { Machine } from '#lib/machines/machine.ts';
import type { LaunchOptions, MachineProvider, MachineSpec } from '#lib/machines/provider.ts';
import { multipass as onPath, type Multipass } from './cli.ts';
import { means, MultipassError } from './failure.ts';
import { multipassMachine, untilUsable } from './machine.ts';
import { records } from './records.ts';

export interface MultipassPlace {
  /** The lab, and its folder: what is made for it is written down there before it is made. */
  lab: { name: string; dir: string };
  /** What `multipass launch` is asked for, such as 24.04. */
  image?: string;
  /** How long a boot may take, and cloud-init after it; 10 minutes unless told. */
  patience?: number;
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
    `  instance="${instanceOf(lab, '')}$name" tries=120`,
    // a client without an input may wait for ever, and what is still being launched cannot be deleted yet
    '  while :; do',
    '    : | multipass delete --purge "$instance" >/dev/null 2>&1',
    '    : | multipass info "$instance" 2>&1 | grep -q "does not exist" && break',
    '    tries=$((tries - 1)); [ $tries -gt 0 ] || { left="$left $instance"; break; }',
    '    sleep 1',
    '  done',
    'done',
    '[ -z "$left" ] || { echo "multipass still has$left." >&2; exit 1; }',
    '',
  ].join('\n');

/** What a service that is gone had, ends with the lab when it is backed by that. Asked twice: it may be away at first. */
const unlessServiceIsGone = '{ : | multipass version || : | multipass version; } >/dev/null 2>&1 || exit 0';

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
      await made.note(name);
      try {
        await launchInstance(spec, instance, options);
        return machine(name);
      } catch (error) {
        options.note?.('removing what was made');
        await multipass.remove(instance, { atWork: !(error instanceof MultipassError) });
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
    const onLine = (line: string): void => note?.(line.trim().slice(-80));
    const own = machine(name);
    note?.('launching');
    let gaveUp: unknown;
    const hung = hanging(own);
    await multipass
      .launch(plan, {
        within: patience,
        onLine,
        signal: AbortSignal.any([hung.signal, ...(signal ? [signal] : [])]),
      })
      .catch((error: unknown) => {
        // it gives up waiting for machines that come up after all: the machine is asked before it is believed
        if (!hung.signal.aborted && !means(error, 'timed out', 'unreachable', 'no service')) throw error;
        gaveUp = error;
      })
      .finally(hung.over);
    signal?.throwIfAborted();
    if (gaveUp === undefined) note?.('first boot');
    else if (hung.signal.aborted) note?.(`${instance} has booted, and its launch hangs: going on without it`);
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

  /** A signal for a launch that goes on though the machine has booted some time ago: its client waits for nothing. */
  function hanging(own: Machine): { signal: AbortSignal; over: () => void } {
    const hung = new AbortController();
    const over = new AbortController();
    until(
      `${own.name} has booted while it is launched`,
      async () => own.attempt(['test', '-e', booted]),
      ({ code }) => {
        over.signal.throwIfAborted();
        return code === 0;
      },
      { within: 2 * patience, every: grace / 6, inARow: 7 },
    ).then(
      () => {
        hung.abort();
      },
      () => undefined,
    );
    return {
      signal: hung.signal,
      over: () => {
        over.abort();
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
