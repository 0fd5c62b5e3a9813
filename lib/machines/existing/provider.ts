import { RefusedError } from '#lib/base/errors.ts';
import { doFirstBoot } from '#lib/machines/first-boot.ts';
import type { MachineProvider } from '#lib/machines/provider.ts';
import { borrowedMachine, stateFolder, type BorrowedMachine, type Lent } from './machine.ts';
import type { ExistingSettings } from './settings.ts';
import { ssh, type Ssh } from './ssh.ts';

export interface ExistingPlace {
  /** The lab that borrows the machines. */
  lab: string;
  settings: ExistingSettings;
  /** What the lab calls the machines, in the order in which the settings name them. */
  names: readonly string[];
  /** They are to join a mesh of the lab's, so one with a sidecar of somebody else's is of no use. */
  join?: true;
}

/** A provider that can also say what it is about to do, and end its connections. */
export interface ExistingProvider extends MachineProvider {
  plan(): string[];
  /**
   * Looks whether a machine may be borrowed; changes nothing.
   *
   * @returns whether this lab has it already
   * @throws RefusedError when it cannot be reached, or is another's to use
   */
  look(name: string): Promise<boolean>;
  /** Notes what will be changed on a machine that was launched, so that it is given back as it was. */
  lend(name: string, what: Lent): Promise<void>;
  disconnect(): Promise<void>;
}

/**
 * Machines that somebody else made. To launch one is to borrow it, and to remove it to give it back with its files as
 * they were. Nothing is done until the plan was agreed to, and not to a machine that another lab has, or on which a
 * sidecar is that this lab did not install.
 */
export function existingProvider(place: ExistingPlace): ExistingProvider {
  const { lab, settings, names } = place;
  const connections = new Map<string, Ssh>(
    settings.vms.flatMap((target, i) => {
      const name = names[i];
      return name === undefined ? [] : [[name, ssh(target, settings)] as const];
    }),
  );
  const way = (name: string): Ssh => {
    const found = connections.get(name);
    if (found) return found;
    const known = [...connections].map(([one, { target }]) => `${one} (${target.host})`).join(', ');
    throw new RefusedError(`EXISTING_VM names no machine for ${name}; it has ${known || 'none'}.`);
  };
  const machine = (name: string): BorrowedMachine => borrowedMachine(way(name), name);
  const owner = `${stateFolder}/lab`;
  const ownerOf = async (name: string): Promise<string> => {
    const { stdout } = await machine(name).attempt(['cat', owner]);
    return stdout.trim();
  };

  return {
    name: 'existing',
    machine,
    plan: () => planFor(connections),
    look: async (name) => {
      await way(name).connect();
      const has = await ownerOf(name);
      if (has !== lab) await refuseForeign(machine(name), has);
      return has === lab;
    },
    lend: async (name, what) => machine(name).lend(what),
    list: async () => {
      const ours = await Promise.all(
        [...connections.keys()].map(async (name) => ((await ownerOf(name)) === lab ? [name] : [])),
      );
      return ours.flat().toSorted();
    },
    remove: async (name) => {
      if ((await ownerOf(name)) === lab) await machine(name).giveBack();
    },
    launch: async ({ name, firstBoot }, { signal, note } = {}) => {
      const one = machine(name);
      if (!settings.yes) {
        const plan = planFor(connections).map((line) => `\n  ${line}`);
        throw new RefusedError(
          `This would be done:${plan.join('')}\nIf you agree, say so with EXISTING_YES=yes.`,
        );
      }
      signal?.throwIfAborted();
      note?.(`connecting to ${way(name).target.host}`);
      await way(name).connect();
      await refuseForeign(one, await ownerOf(name));
      try {
        await one.run(['mkdir', '-p', '-m', '700', stateFolder]);
        await one.run(['sh', '-c', 'echo "$1" >"$2"', '-', lab, owner]);
        note?.('first boot');
        if (firstBoot) await doFirstBoot(one, firstBoot, signal);
        signal?.throwIfAborted();
        return one;
      } catch (error) {
        await one.giveBack();
        throw error;
      }
    },
    disconnect: async () => {
      await Promise.all([...connections.values()].map(async (one) => one.disconnect()));
    },
  };

  async function refuseForeign(one: BorrowedMachine, has: string): Promise<void> {
    if (has === lab) throw new RefusedError(`Lab ${lab} has ${one.name} already; remove it first.`);
    if (has !== '')
      throw new RefusedError(`${one.name} is in use by lab ${has} (${owner} there says so); end that first.`);
    const { code } = await one.attempt(['id', '-u']);
    if (code !== 0) throw new RefusedError(`${one.name} gives its user no root: sudo must need no password.`);
    if (settings.mesh === 'use' && !place.join) return;
    const { stdout } = await one.attempt([
      'sh',
      '-c',
      'ls -d /var/lib/istio /etc/istio 2>/dev/null; command -v pilot-agent',
    ]);
    if (stdout.trim() === '') return;
    const other = place.join ? 'take another machine' : 'let it be used as it is with EXISTING_MESH=use';
    throw new RefusedError(
      `${one.name} has a sidecar that this harness did not install (${stdout.trim().split('\n').join(', ')}); remove it, or ${other}.`,
    );
  }
}

/** What will be done to what is not ours, one line each. */
function planFor(connections: ReadonlyMap<string, Ssh>): string[] {
  return [...connections].flatMap(([name, { target }]) => {
    const where = `${target.user}@${target.host}:${String(target.port)} (${name})`;
    return [
      `${where}: files are written; those that were there before are kept in ${stateFolder} and put back at the end`,
      `${where}: commands are run as root${target.user === 'root' ? '' : ', by sudo'}; it may be restarted, and is never switched off`,
    ];
  });
}
