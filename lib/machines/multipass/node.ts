import type { MachineProvider } from '#lib/machines/provider.ts';
import type { Machine } from '#lib/machines/machine.ts';
import { byPidFile, inNode, type NodeMachine } from '#lib/machines/node-machine.ts';
import { statesIn } from '#lib/machines/supervised.ts';
import type { NodePlan } from '#lib/machines/topology.ts';

/**
 * A node of a cluster on an instance; its first start launches that.
 *
 * @param dir its folder on the host
 */
export function multipassNode(
  provider: MachineProvider,
  plan: NodePlan,
  instance: string,
  dir: string,
): NodeMachine {
  const machine = provider.machine(plan.name);
  const withPath =
    (how: Machine['run']): Machine['run'] =>
    async (words, options = {}) =>
      how(words, { ...options, env: { PATH: inNode.path, ...options.env } });
  return {
    ...machine,
    plan,
    dir,
    run: withPath(machine.run),
    attempt: withPath(machine.attempt),
    // what is in an instance is not the host's to see
    onHost: () => undefined,
    enter: () => ['multipass', 'exec', instance, '--', 'sudo', 'env', `PATH=${inNode.path}`],
    start: async () => launchOrStart(provider, plan, machine),
    supervised: false,
    daemon: async (name, words, env) => {
      await machine.run(byPidFile.daemon(name, words), { env: { PATH: inNode.path, ...env } });
    },
    endDaemon: async (name, signal = 'KILL') => {
      await machine.attempt(byPidFile.endDaemon(name, signal));
    },
    daemons: async () => statesIn((await machine.run(byPidFile.daemons())).stdout),
  };
}

async function launchOrStart(
  provider: MachineProvider,
  { name, size }: NodePlan,
  machine: Machine,
): Promise<void> {
  if ((await provider.list()).includes(name)) await machine.start();
  else await provider.launch({ name, size });
}
