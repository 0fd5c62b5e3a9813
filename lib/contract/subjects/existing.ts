import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { writeAtomic } from '#lib/base/files.ts';
import { say } from '#lib/base/progress.ts';
import { until } from '#lib/base/until.ts';
import type { ContractMachine, Subject } from '#lib/contract/subject.ts';
import { settings as readSettings } from '#lib/base/settings.ts';
import { existingProvider } from '#lib/machines/existing/provider.ts';
import { existingSettings, type ExistingSettings } from '#lib/machines/existing/settings.ts';
import { forward } from '#lib/machines/local/forward.ts';
import { localAddresses } from '#lib/machines/local/addresses.ts';
import { contractLab, local } from './local.ts';

/** The machines that EXISTING_VM names; without it, a VM of the local provider that is set up as a user would. */
export async function existing(): Promise<Subject> {
  const settings = existingSettings();
  if (settings.vms.length > 0) return borrowed(settings);
  say('EXISTING_VM names no machine: a VM of the local provider is set up for ssh by hand.');
  const backing = await local();
  try {
    const subject = borrowed({ ...settings, ...(await setUpByHand(backing)), yes: true, mesh: 'use' });
    return {
      ...subject,
      close: async () => {
        await subject.close();
        await backing.close();
      },
    };
  } catch (error) {
    await backing.close();
    throw error;
  }
}

function borrowed(settings: ExistingSettings): Subject {
  const { vmName, sizes } = readSettings();
  const names = settings.vms.map((_, i) => (i === 0 ? vmName : `${vmName}-${String(i + 1)}`));
  const machines = names.map((name): ContractMachine => ({
    kind: name,
    spec: { name, size: sizes.vm },
    measures: [],
  }));
  const provider = existingProvider({ lab: contractLab(), settings, names });
  for (const line of provider.plan()) say(`plan: ${line}`);
  const [first, second] = machines;
  return {
    provider,
    machines,
    two: first && second ? [first, second] : undefined,
    lacks: {
      absence: 'the machine is there before it is borrowed',
      'host names': 'the machine has the name that its owner gave it',
      power: 'a machine that was switched off could not be switched on again',
      ...(second ? {} : { 'two machines': 'EXISTING_VM names one' }),
    },
    close: async () => {
      for (const left of await provider.list()) await provider.remove(left);
      await provider.disconnect();
    },
  };
}

/** What a user does for a VM of his own: a key that it takes, and its host keys, compared. */
async function setUpByHand({
  lab,
  provider,
}: Awaited<ReturnType<typeof local>>): Promise<Pick<ExistingSettings, 'vms' | 'key' | 'knownHosts'>> {
  const vm = await provider.launch({ name: lab.vm.name, size: lab.settings.sizes.vm });
  const key = join(lab.dir, 'id_ed25519');
  await run(['ssh-keygen', '-q', '-t', 'ed25519', '-N', '', '-C', 'contract', '-f', key]);
  await vm.write('/home/ubuntu/.ssh/authorized_keys', await readFile(`${key}.pub`), {
    mode: 0o600,
    owner: 'ubuntu:ubuntu',
  });
  await vm.run(['chown', 'ubuntu:ubuntu', '/home/ubuntu/.ssh']);
  await vm.run(['systemctl', 'start', 'ssh']);
  await until('sshd listens', async () => (await vm.run(['ss', '-Hltn', 'sport = :22'])).stdout, Boolean, {
    within: ours.command,
  });
  const port = await forward(lab.local, 'ssh', `${localAddresses.vm}:22`);
  const hostKeys = (await vm.run(['sh', '-c', 'cat /etc/ssh/ssh_host_*_key.pub'])).stdout.trim().split('\n');
  const knownHosts = join(lab.dir, 'known_hosts');
  await writeAtomic(
    knownHosts,
    hostKeys.map((line) => `[127.0.0.1]:${String(port)} ${line}\n`).join(''),
    0o600,
  );
  return { vms: [{ user: 'ubuntu', host: '127.0.0.1', port }], key, knownHosts };
}
