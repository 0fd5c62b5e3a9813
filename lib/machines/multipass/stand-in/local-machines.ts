import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { piped } from '#lib/base/command.ts';
import { messageOf } from '#lib/base/errors.ts';
import { temporary } from '#lib/base/temporary.ts';
import { minutes } from '#lib/base/until.ts';
import type { NodeMachine } from '#lib/machines/local/node.ts';
import type { Machine } from '#lib/machines/machine.ts';
import type { MachineProvider } from '#lib/machines/provider.ts';
import type { Backend } from './backend.ts';

/**
 * Instances that are real machines of the local provider: an instance `k3s-master` or `<lab>-k3s-master` is the node of
 * that name, or the VM.
 *
 * @param names of the machines that the local provider has a place for
 */
export function localMachines(local: MachineProvider, names: readonly string[]): Backend {
  const placeOf = (instance: string): string => {
    const found = names.find((name) => instance === name || instance.endsWith(`-${name}`));
    if (found === undefined) throw new Error(`no machine backs ${instance}: there are ${names.join(', ')}`);
    return found;
  };
  const machine = (instance: string): Machine => local.machine(placeOf(instance));

  return {
    launch: async (instance, size) => {
      await local.launch({ name: placeOf(instance), size });
    },
    start: async (instance) => machine(instance).start(),
    stop: async (instance) => machine(instance).stop(),
    restart: async (instance) => machine(instance).restart(),
    remove: async (instance) => local.remove(placeOf(instance)),
    address: async (instance) => machine(instance).address(),
    size: async (instance) => machine(instance).size(),
    put: async (instance, path, content) => {
      await using folder = await temporary();
      const file = join(folder.path, 'file');
      await writeFile(file, content);
      await machine(instance).upload(file, path);
    },
    exec: async (instance, words, { input, out, err }) => {
      const one = machine(instance);
      try {
        if (isNode(one)) return await piped([...one.enter(), ...words], { input, out, err });
        // the guest agent takes an input as a whole; how long a command may take is for its caller to say
        const options = { input: await buffer(input), binary: true, within: minutes(60) };
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
