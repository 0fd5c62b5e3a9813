import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Within } from '#lib/base/deadline.ts';
import { ours } from '#lib/base/deadlines.ts';
import { messageOf } from '#lib/base/errors.ts';
import { until } from '#lib/base/until.ts';
import type { Size } from '#lib/base/settings.ts';
import type { Machine } from '#lib/machines/machine.ts';
import { putInPlace, shellMachine } from '#lib/machines/shell-machine.ts';
import type { Multipass } from './cli.ts';

/**
 * An instance of multipass.
 *
 * @param instance what multipass calls it; `name` is what the lab does
 */
export function multipassMachine(multipass: Multipass, name: string, instance = name): Machine {
  const shell = shellMachine(name, async (words, options) => multipass.exec(instance, words, options));
  const usable = async (within: Within = ours.instanceUsable): Promise<void> =>
    untilUsable(multipass, shell, instance, within);
  /** Gone with the boot that it was left in. */
  const thisBoot = `/run/conformance-boot-${randomBytes(4).toString('hex')}`;

  return {
    ...shell,
    address: async () => {
      const own = await shell.addresses();
      const told = own.length === 1 ? [] : ((await multipass.info(instance))?.ipv4 ?? []);
      const address = reachedAt(own, told);
      if (address !== undefined) return address;
      throw new Error(
        `Machine ${name} has no IPv4 address of its own; multipass tells ${told.join(', ') || 'none either'}.`,
      );
    },
    upload: async (local, remote, options = {}) => {
      const content = await readFile(local);
      // what is transferred can be read by all at first, and belongs to the ordinary user, who must get there
      const folder = `/var/tmp/conformance-${randomBytes(8).toString('hex')}`;
      const ofUser = 'mkdir -m 700 "$1"; [ -z "$SUDO_USER" ] || chown "$SUDO_USER" "$1"';
      await shell.run(['sh', '-ec', ofUser, '-', folder]);
      try {
        await multipass.transfer(content, instance, `${folder}/file`);
        await putInPlace(shell, `${folder}/file`, remote, content.length, options);
      } finally {
        await shell.attempt(['rm', '-rf', folder]).catch(() => undefined);
      }
    },
    start: async () => {
      await multipass.start(instance);
      await usable();
    },
    stop: async () => multipass.stop(instance),
    restart: async () => {
      await shell.write(thisBoot, '');
      await multipass.restart(instance);
      await usable();
      const { code } = await shell.attempt(['test', '-e', thisBoot]);
      if (code === 0)
        throw new Error(
          `multipass restart ${instance} said it was done, and the machine did not boot again.`,
        );
    },
    size: async () => {
      const seen = (await multipass.info(instance))?.size;
      if (!seen) throw new Error(`multipass tells no size of ${instance}: it does not run.`);
      return sizeOf(seen, await multipass.given(instance));
    },
  };
}

/** What is left of what a machine was given, at the least: a kernel keeps memory back, partitions for its boot take disk. */
const share: Size = { cpus: 1, memoryMiB: 0.85, diskGiB: 0.6 };

/** What an instance was given, wherever what it sees of that bears it out, and else what it sees. */
export function sizeOf(seen: Size, given: Size = seen): Size {
  const borneOut = (what: keyof Size): boolean =>
    seen[what] <= given[what] && seen[what] >= given[what] * share[what];
  const one = (what: keyof Size): number => (borneOut(what) ? given[what] : seen[what]);
  return { cpus: one('cpus'), memoryMiB: one('memoryMiB'), diskGiB: one('diskGiB') };
}

/**
 * Where others reach an instance: multipass may still tell the address of the boot before, or those of bridges inside,
 * so its own word counts, and multipass's only where it has several.
 *
 * @param own addresses on its own cards
 * @param told what multipass tells
 */
export const reachedAt = (own: readonly string[], told: readonly string[]): string | undefined =>
  own.find((one) => told.includes(one)) ?? own[0];

/**
 * Waits until commands are run in an instance, whatever multipass says of its state.
 *
 * @throws Error with the state, the addresses and what the last command came to
 */
export async function untilUsable(
  multipass: Multipass,
  shell: Pick<Machine, 'name' | 'run'>,
  instance: string,
  within: Within,
): Promise<void> {
  await until(
    `commands are run in ${shell.name}`,
    async () => {
      try {
        await shell.run(['true'], { within: ours.machineAnswers });
        return 'usable';
      } catch (error) {
        const seen = await multipass.info(instance);
        if (!seen) return `there is no instance ${instance}`;
        const where = `it is ${seen.state} at ${seen.ipv4.join(', ') || 'no address'}`;
        throw new Error(`${where}: ${messageOf(error).slice(-300)}`, { cause: error });
      }
    },
    (seen) => {
      if (seen !== 'usable') throw new Error(`Machine ${shell.name} cannot be used: ${seen}.`);
      return true;
    },
    { within, every: 500 },
  );
}
