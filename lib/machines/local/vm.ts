import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError, recordingCommand } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { messageOf } from '#lib/base/errors.ts';
import { isAlive, type ProcessId } from '#lib/base/processes.ts';
import { say } from '#lib/base/progress.ts';
import type { Size } from '#lib/base/settings.ts';
import { until } from '#lib/base/until.ts';
import type { Machine } from '#lib/machines/machine.ts';
import { agentPort } from './agent-port.ts';
import { reseed, setClock } from './clock.ts';
import { guestAttempt, guestRead } from './guest-agent.ts';
import { loadState, startQemu, switchOff, untilEnded } from './qemu.ts';
import { machinery, snapshotPlan, untilUp } from './snapshot.ts';
import { uploadFile, writeFileInGuest } from './vm-files.ts';
import { freshFolder, layDisks, readState, writeState } from './vm-folder.ts';

/** The external VM of a lab. */
export interface VmMachine extends Machine {
  /** Its folder on the host, with its logs: console.log and qemu.log. */
  readonly dir: string;
  /** Makes it anew, as it is when the machines come up: nothing of what was done to it is left. */
  anew(): Promise<void>;
  /** Switches it off and removes it, its disk included; there may be none. */
  remove(): Promise<void>;
}

/** What VMs are made from, as folders: the image that one boots from, and the snapshot that one is resumed from. */
export interface VmBase {
  image: string;
  snapshot: string;
}

export interface VmPlace {
  labDir: string;
  /** Words that put QEMU into the lab's namespaces, where its tap stands. */
  enter: readonly string[];
  /** What it is made from. */
  base: VmBase;
  size: Size;
  name: string;
}

/**
 * The external VM in a lab's folder, whichever process started it. Its first start() without anew() boots the image;
 * anew() resumes the snapshot, with the right time.
 */
export function vmMachine({ labDir, enter, base, size, name }: VmPlace): VmMachine {
  const { image, snapshot } = base;
  const dir = join(labDir, 'machines', name);
  const agent = agentPort(dir);
  const attempt: Machine['attempt'] = async (words, options = {}) => {
    const [program = '', ...args] = words;
    const shown = [`${name}: ${program}`, ...args];
    return recordingCommand(shown, options, async () => guestAttempt(agent, name, words, options));
  };
  const run: Machine['run'] = async (words, options) => {
    const output = await attempt(words, options);
    if (output.code === 0) return output;
    const shown = options?.secret ? [words[0] ?? '', '(arguments withheld)'] : words;
    throw new CommandError([`${name}:`, ...shown], `Exit status ${String(output.code)}`, output);
  };
  const bootId = async (): Promise<string> =>
    (await run(['cat', '/proc/sys/kernel/random/boot_id'])).stdout.trim();
  // how the command ends may never be told, as the agent ends with the machine
  const systemctl = async (what: 'poweroff' | 'reboot'): Promise<void> => {
    await agent.ask('guest-exec', { path: 'systemctl', arg: [what, '--no-block'] }, ours.agentTells);
    agent.close();
  };
  const running = (): ProcessId | undefined => {
    const process = readState(dir)?.process;
    return process && isAlive(process) ? process : undefined;
  };

  return {
    name,
    dir,
    run,
    attempt,
    address: async () => {
      const { stdout } = await run(['ip', '-4', '-o', 'address', 'show', 'dev', 'eth0']);
      const address = /inet ([\d.]+)\//.exec(stdout)?.[1];
      if (address === undefined) throw new Error(`Machine ${name} has no IPv4 address on eth0: ${stdout}`);
      return address;
    },
    write: async (path, content, options) => writeFileInGuest(run, path, content, options),
    read: async (path, from) => guestRead(agent, name, path, from),
    upload: async (local, remote, options) => uploadFile(dir, run, local, remote, options),

    anew: async () => {
      const old = running();
      if (old) await switchOff(dir, old);
      await freshFolder(dir);
      await layDisks(dir, image, snapshot);
      const machine = snapshotPlan(snapshot);
      const { process, qmp } = await startQemu(dir, enter, { ...machine, memory: 'copy', incoming: true });
      await writeState(dir, { machinery: machine, process });
      await loadState(dir, qmp, process);
      qmp.close();
      await Promise.all([setClock(agent, name), reseed(agent, name)]);
    },
    remove: async () => {
      const process = running();
      if (process) await switchOff(dir, process);
      agent.close();
      await rm(dir, { recursive: true, force: true });
    },
    start: async () => {
      if (running()) return;
      const before = readState(dir);
      if (!before) {
        await freshFolder(dir);
        await layDisks(dir, image);
      }
      const machine = before?.machinery ?? (await machinery(image, name, size));
      const { process, qmp } = await startQemu(dir, enter, { ...machine, memory: 'own', incoming: false });
      await writeState(dir, { machinery: machine, process });
      qmp.close();
      await untilUp(agent, name, ours.vmBoots);
      await setClock(agent, name);
    },
    stop: async () => {
      const process = running();
      if (!process) return;
      try {
        await systemctl('poweroff');
        await untilEnded(process, dir, ours.vmPowersDown);
      } catch (error) {
        if (!running()) return;
        say(`Machine ${name} did not power down, so it is switched off: ${messageOf(error)}`);
        await switchOff(dir, process);
      }
    },
    restart: async () => {
      const before = await bootId();
      await systemctl('reboot');
      await until(
        `machine ${name} has booted again (log: ${join(dir, 'console.log')})`,
        async () => bootId(),
        (now) => now !== before,
        { within: ours.vmBoots, every: 200 },
      );
      await untilUp(agent, name, ours.vmBoots);
      await setClock(agent, name);
    },
    size: async () => {
      const script = 'nproc; grep MemTotal /proc/meminfo; cat /sys/class/block/vda/size';
      const { stdout } = await run(['sh', '-c', script]);
      const [cpus = 0, memoryKiB = 0, sectors = 0] = (stdout.match(/\d+/g) ?? []).map(Number);
      return { cpus, memoryMiB: Math.round(memoryKiB / 1024), diskGiB: (sectors * 512) / 1024 ** 3 };
    },
  };
}
