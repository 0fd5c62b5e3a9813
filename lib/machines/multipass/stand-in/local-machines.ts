import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { piped } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { messageOf } from '#lib/base/errors.ts';
import { temporary } from '#lib/base/temporary.ts';
import type { NodeMachine } from '#lib/machines/node-machine.ts';
import type { Machine } from '#lib/machines/machine.ts';
import type { MachineProvider } from '#lib/machines/provider.ts';
import type { Backend } from './backend.ts';

interface Place {
  local: MachineProvider;
  name: string;
}

/**
 * Instances that are real machines of the local provider: an instance `k3s-master` is the node of that name in the lab
 * `conformance`, and `other-k3s-master` that in the lab `other`.
 *
 * @param provider the local provider of a lab, by the lab's name
 * @param names of the machines that it has a place for
 */
export function localMachines(
  provider: (lab: string) => Promise<MachineProvider>,
  names: readonly string[],
): Backend {
  const place = async (instance: string): Promise<Place> => {
    const name = names.find((one) => instance === one || instance.endsWith(`-${one}`));
    if (name === undefined) throw new Error(`no machine backs ${instance}: there are ${names.join(', ')}`);
    return { local: await provider(instance.slice(0, -name.length - 1) || 'conformance'), name };
  };
  // a lab that is gone, or is on its way out, takes its machines with it
  const unlessGone = async (instance: string): Promise<Place | undefined> =>
    place(instance).catch(() => undefined);
  const machine = async (instance: string): Promise<Machine> => {
    const { local, name } = await place(instance);
    return local.machine(name);
  };

  return {
    launch: async (instance, size) => {
      const { local, name } = await place(instance);
      await local.launch({ name, size });
    },
    start: async (instance) => (await machine(instance)).start(),
    stop: async (instance) => {
      const found = await unlessGone(instance);
      await found?.local.machine(found.name).stop();
    },
    restart: async (instance) => (await machine(instance)).restart(),
    remove: async (instance) => {
      const found = await unlessGone(instance);
      await found?.local.remove(found.name);
    },
    address: async (instance) => (await machine(instance)).address(),
    size: async (instance) => (await machine(instance)).size(),
    put: async (instance, path, content) => {
      await using folder = await temporary();
      const file = join(folder.path, 'file');
      await writeFile(file, content);
      await (await machine(instance)).upload(file, path);
    },
    exec: async (instance, words, { input, out, err }) => {
      try {
        const one = await machine(instance);
        if (isNode(one)) return await piped([...one.enter(), ...words], { input, out, err });
        // the guest agent takes an input as a whole; how long a command may take is for its caller to say
        const options = { input: await buffer(input), binary: true, within: ours.build };
        const said = await one.attempt(words, options);
        out(Buffer.from(said.stdout, 'latin1'));
        err(Buffer.from(said.stderr, 'latin1'));
        return said.code;
      } catch (error) {
        err(Buffer.from(`${messageOf(error)}\n`));
        return 255;
      }
    },
  };
}

const isNode = (machine: Machine): machine is NodeMachine => 'enter' in machine;
