import { interactive } from '#lib/base/command.ts';
import { messageOf, RefusedError } from '#lib/base/errors.ts';
import { endWithNpm } from '#lib/base/parent.ts';
import { say } from '#lib/base/progress.ts';
import { settings as readSettings } from '#lib/base/settings.ts';
import { temporary } from '#lib/base/temporary.ts';
import { attachLab, vmBase } from '#lib/layers/lab.ts';
import { localProvider } from '#lib/machines/local/provider.ts';
import type { MachineProvider } from '#lib/machines/provider.ts';
import { localMachines } from '#lib/machines/multipass/stand-in/local-machines.ts';
import { misbehaviours, type Misbehaviour } from '#lib/machines/multipass/stand-in/misbehaviour.ts';
import { clientFolder, standIn } from '#lib/machines/multipass/stand-in/service.ts';

const usage = `npm run stand-in -- [--misbehave=<how>]… <command> [<words>…]
  runs a command with LAB_PROVIDER=multipass and, as \`multipass\`, a stand-in whose instances are machines of the local
  provider, made in the namespaces of the command's lab; ways to misbehave:
${Object.entries(misbehaviours)
  .map(([name, what]) => `    ${name}: ${what}\n`)
  .join('')}`;

/** The local provider of a lab, which the command opens: it stands when its first instance is launched. */
async function localOf(name: string): Promise<MachineProvider> {
  const settings = readSettings();
  const lab = await attachLab({ ...settings, lab: { ...settings.lab, name } });
  const vm = { name: settings.vmName, base: vmBase(lab) };
  return localProvider({ lab: lab.local, programs: lab.programs.kubernetes, vm });
}

async function withStandIn(words: readonly string[]): Promise<number> {
  const told = words
    .filter((word) => word.startsWith('--misbehave='))
    .map((word) => word.slice('--misbehave='.length));
  const unknown = told.find((how) => !(how in misbehaviours));
  const command = words.slice(told.length);
  if (unknown !== undefined || command.length === 0) throw new RefusedError(usage);
  const { vmName } = readSettings();
  await using folder = await temporary();
  const names = ['k3s-master', 'k3s-worker-1', 'k3s-worker-2', vmName];
  const service = await standIn(folder.path, localMachines(localOf, names));
  for (const how of told as Misbehaviour[]) service.misbehave.add(how);
  Object.assign(process.env, service.env, {
    LAB_PROVIDER: 'multipass',
    PATH: `${clientFolder}:${process.env['PATH'] ?? ''}`,
  });
  say(`The stand-in for multipass is at ${service.env.MULTIPASS_STAND_IN}`);
  try {
    return await interactive(command);
  } finally {
    await service.close();
  }
}

try {
  endWithNpm();
  process.exitCode = await withStandIn(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = error instanceof RefusedError ? 2 : 1;
}
