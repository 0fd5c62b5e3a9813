import { readdir, readFile, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { debianName, ownArchitecture } from '#lib/artifacts/architecture.ts';
import { contained } from '#lib/artifacts/contained.ts';
import { produce, type Place } from '#lib/artifacts/store.ts';
import { architectureOf } from '#lib/artifacts/vm-image.ts';
import { CommandError } from '#lib/base/command.ts';
import type { Within } from '#lib/base/deadline.ts';
import { ours } from '#lib/base/deadlines.ts';
import { messageOf } from '#lib/base/errors.ts';
import { readJson, writeAtomic } from '#lib/base/files.ts';
import { endProcess } from '#lib/base/processes.ts';
import type { Size } from '#lib/base/settings.ts';
import { acceleration, cpuModel, qemuVersion } from './acceleration.ts';
import { agentPort, type AgentPort } from './agent-port.ts';
import { setClock } from './clock.ts';
import { guestAttempt } from './guest-agent.ts';
import { qemuWords, saveState, startQemu, tap, type QemuPlan } from './qemu.ts';
import type { Machine } from '#lib/machines/machine.ts';
import { uploadFile } from './vm-files.ts';
import { layDisks, makeOverlay, type Machinery } from './vm-folder.ts';

/** What is done in a machine, once, before it is frozen. */
export interface Furnishing {
  /** A file of the host, out of an artifact's folder. */
  local: string;
  /** Where it is put in the machine. */
  remote: string;
  /** What is run then, one after the other, by sh. */
  scripts: readonly string[];
}

/**
 * Boots a VM image once, in a network of its own that leads nowhere, and freezes it when systemd is up and the
 * machine is furnished.
 *
 * @param image the folder of a VM image
 * @returns the folder of `memory`, `state`, `disk.qcow2` (an overlay of the image's disk), `overlay.qcow2` (an empty
 *   one of that, to be copied) and `plan.json`; none is to be written to
 */
export async function vmSnapshot(
  image: string,
  name: string,
  size: Size,
  furnishing: Furnishing,
  place?: Place,
): Promise<string> {
  const plan = await machinery(image, name, size);
  const words = qemuWords({ ...plan, memory: 'saved', incoming: false });
  // an emulated processor is the same everywhere
  const cpu = plan.acceleration === 'kvm' ? cpuModel() : 'emulated';
  const furnished = { ...furnishing, local: basename(dirname(furnishing.local)) };
  const qemu = await qemuVersion(plan.architecture);
  const inputs = { image: basename(image), words, qemu, cpu, warmUp, furnished };
  const foreign = plan.architecture === ownArchitecture ? undefined : debianName(plan.architecture);
  const runs = plan.acceleration === 'kvm' ? 'KVM' : ['emulated', foreign].filter(Boolean).join(' ');
  return produce(
    foreign === undefined ? 'vm-snapshot' : `vm-snapshot-${foreign}`,
    inputs,
    `Snapshot of the external VM (${runs})`,
    60_000,
    async (draft, note) => freeze(draft, image, plan, furnishing, note),
    place,
  );
}

/** What a machine of this image and size is made of on this host. */
export async function machinery(image: string, name: string, { cpus, memoryMiB }: Size): Promise<Machinery> {
  const architecture = await architectureOf(image);
  return { name, cpus, memoryMiB, architecture, acceleration: await acceleration(image, architecture) };
}

export function snapshotPlan(snapshot: string): Machinery {
  const plan = readJson<Machinery>(join(snapshot, 'plan.json'));
  if (!plan) throw new Error(`${snapshot} is no snapshot of a VM: it has no plan.json`);
  return plan;
}

/**
 * What a lab will run is run once, so that it is in the guest's memory already. Nothing of it changes the guest: the
 * rules are made in a network that ends with the command, only the kernel's modules for them stay loaded.
 */
const warmUp = [
  `unshare --net sh -ec '
    for tables in iptables ip6tables; do
      table="$tables -w"
      $table -t nat -A OUTPUT -p tcp -m owner --uid-owner 1337 -m comment --comment x -j REDIRECT --to-ports 15001
      $table -t nat -A OUTPUT -p udp --dport 53 -m owner ! --gid-owner 1337 -j RETURN
      $table -t raw -A OUTPUT -p udp --dport 53 -m owner --uid-owner 1337 -j CT --zone 1
      $table -t mangle -A PREROUTING -p tcp -m conntrack --ctstate INVALID -j DROP
      $tables-save >/dev/null
    done'`,
  'iptables-save; ip6tables-save; ip address; curl -V; dig -v; openssl version; sudo -V; dpkg --version; tar --version',
  'python3 -c "import http.server"; journalctl -n 1; sha256sum /dev/null; dd if=/dev/null of=/dev/null; mktemp -u',
  'install --version; perl -e 1; bash -c true; id ubuntu; su -c true ubuntu; sync',
];

async function freeze(
  dir: string,
  image: string,
  machine: Machinery,
  { local, remote, scripts }: Furnishing,
  note: (text: string) => void,
): Promise<void> {
  await layDisks(dir, image);
  const plan: QemuPlan = { ...machine, memory: 'saved', incoming: false };
  const card = `ip link set lo up; ip tuntap add ${tap} mode tap; ip link set ${tap} up; exec "$@"`;
  const network = contained(['unshare', '--net', 'sh', '-c', card, '-']);
  note('booting');
  const { process, qmp } = await startQemu(dir, network, plan);
  const agent = agentPort(dir);
  try {
    const { state, failed } = await untilUp(agent, plan.name, ours.vmFirstBoots);
    if (state !== 'running') throw new Error(`systemd of ${plan.name} is ${state}: ${failed}`);
    await setClock(agent, plan.name);
    const inGuest: Machine['run'] = async (words, options) => {
      const said = await guestAttempt(agent, plan.name, words, options);
      if (said.code === 0) return said;
      throw new CommandError([`${plan.name}:`, ...words], `Exit status ${String(said.code)}`, said);
    };
    note('furnishing');
    await uploadFile(dir, inGuest, local, remote);
    for (const script of [...scripts, ...warmUp])
      await inGuest(['sh', '-c', script], { within: ours.snapshotStep });
    agent.close();
    note('freezing');
    await saveState(dir, qmp, process);
  } catch (error) {
    const [console, log] = [await tail(join(dir, 'console.log')), await tail(join(dir, 'qemu.log'))];
    throw new Error(`${messageOf(error)}\nQEMU said: ${log}\nThe console ends with:\n${console}`, {
      cause: error,
    });
  } finally {
    agent.close();
    qmp.close();
    endProcess(process.pid);
  }
  // a machine's folder calls this disk so
  await symlink('disk.qcow2', join(dir, 'booted.qcow2'));
  await makeOverlay(dir, 'overlay.qcow2', 'booted.qcow2');
  for (const name of await readdir(dir)) {
    if (!['memory', 'state', 'disk.qcow2', 'overlay.qcow2'].includes(name)) await rm(join(dir, name));
  }
  await writeAtomic(join(dir, 'plan.json'), JSON.stringify(machine));
}

/** Waits until systemd has started all it was going to. What failed, if it is `degraded`, is named. */
export async function untilUp(
  agent: AgentPort,
  name: string,
  within: Within,
): Promise<{ state: 'running' | 'degraded'; failed: string }> {
  await agent.ask('guest-ping', undefined, within);
  const { stdout } = await guestAttempt(agent, name, ['systemctl', 'is-system-running', '--wait'], {
    within,
  });
  const state = stdout.trim();
  if (state === 'running') return { state, failed: '' };
  const { stdout: failed } = await guestAttempt(agent, name, [
    'systemctl',
    '--failed',
    '--no-legend',
    '--plain',
  ]);
  if (state === 'degraded') return { state, failed: failed.trim() };
  throw new Error(`systemd of ${name} is ${state}: ${failed.trim()}`);
}

/** The end of a file that is about to be removed. */
const tail = async (path: string): Promise<string> =>
  readFile(path, 'utf8').then(
    (text) => text.slice(-2000).trim(),
    () => 'nothing',
  );
