import { attempt, type Run } from '#lib/base/command.ts';
import { labDir } from '#lib/base/paths.ts';
import { say } from '#lib/base/progress.ts';
import type { ContractMachine, Subject } from '#lib/contract/subject.ts';
import { multipass as multipassCli } from '#lib/machines/multipass/cli.ts';
import { notInstalled } from '#lib/machines/multipass/usable.ts';
import { multipassProvider } from '#lib/machines/multipass/provider.ts';
import { localMachines } from '#lib/machines/multipass/stand-in/local-machines.ts';
import { clientFolder, standIn } from '#lib/machines/multipass/stand-in/service.ts';
import { contractLab, local } from './local.ts';

/**
 * The multipass on PATH; where there is none, the stand-in over machines of the local provider.
 *
 * @throws RefusedError when there is one that cannot be used
 */
export async function multipass(): Promise<Subject> {
  const version = await multipassCli()
    .version()
    .catch((error: unknown) => {
      if (notInstalled(error)) return undefined;
      throw error;
    });
  if (version === undefined) return overLocalMachines();
  say(`multipass ${version.client}, its service ${version.service}`);
  const name = contractLab();
  const provider = multipassProvider({ lab: { name, dir: labDir(name) } });
  const instance = (which: string): ContractMachine => ({
    kind: 'an instance',
    spec: { name: which, size: { cpus: 1, memoryMiB: 1024, diskGiB: 5 } },
    measures: ['cpus', 'memoryMiB', 'diskGiB'],
  });
  return {
    provider,
    machines: [instance('one')],
    two: [instance('one'), instance('two')],
    lacks: {},
    close: async () => {
      for (const left of await provider.list()) await provider.remove(left);
    },
  };
}

async function overLocalMachines(): Promise<Subject> {
  say('There is no multipass on PATH: its stand-in backs the instances with machines of the local provider.');
  const { lab, ...backing } = await local();
  const names = [...lab.nodes.map((node) => node.name), lab.vm.name];
  const service = await standIn(
    lab.dir,
    localMachines(async () => Promise.resolve(backing.provider), names),
  );
  const PATH = `${clientFolder}:${process.env['PATH'] ?? ''}`;
  const run: Run = async (words, options = {}) =>
    attempt(words, { ...options, env: { ...options.env, ...service.env, PATH } });
  return {
    ...backing,
    provider: multipassProvider({ lab, multipass: multipassCli(run) }),
    close: async () => {
      await service.close();
      await backing.close();
    },
  };
}
