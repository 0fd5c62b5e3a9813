import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Architecture } from '#lib/artifacts/architecture.ts';
import { spawnDetached } from '#lib/base/command.ts';
import type { Within } from '#lib/base/deadline.ts';
import { ours } from '#lib/base/deadlines.ts';
import { endProcess, isAlive, processOf, type ProcessId } from '#lib/base/processes.ts';
import { until } from '#lib/base/until.ts';
import type { Acceleration } from './acceleration.ts';
import { openQmp, type Qmp } from './qmp.ts';

/** What a QEMU process is started with. Snapshot and resumed machine must agree in all but `memory` and `incoming`. */
export interface QemuPlan {
  name: string;
  cpus: number;
  memoryMiB: number;
  architecture: Architecture;
  acceleration: Acceleration;
  /** `own`: ordinary memory. `saved`: the file `memory` is the memory. `copy`: it is read, and what changes stays ours. */
  memory: 'own' | 'saved' | 'copy';
  /** Waits for a saved state instead of booting. */
  incoming: boolean;
}

/** A port of the guest agent serves one client at a time, so there are several. */
export const agentPorts = ['agent0', 'agent1', 'agent2', 'agent3'] as const;

/** The end of the network card outside the machine; it stands before QEMU starts. */
export const tap = 'tap-vm';

const mac = '52:54:00:64:00:40';

/**
 * The words that start QEMU. All paths are relative to the machine's folder: it holds (or links) `kernel`, `initrd`,
 * `disk.qcow2`, `drop.img` and, unless memory is its own, `memory`; sockets and logs appear there.
 */
export function qemuWords(plan: QemuPlan): string[] {
  const { architecture } = plan;
  const { emulator, board } = hardware[architecture];
  const size = `size=${String(plan.memoryMiB)}M`;
  const memory = {
    own: `memory-backend-ram,id=memory,${size}`,
    saved: `memory-backend-file,id=memory,${size},mem-path=memory,share=on`,
    copy: `memory-backend-file,id=memory,${size},mem-path=memory,share=off`,
  }[plan.memory];
  const agents = agentPorts.flatMap((port, i) => [
    ...['-chardev', `socket,id=${port},path=${port}.sock,server=on,wait=off`],
    ...['-device', `virtserialport,chardev=${port},name=agent.${String(i)}`],
  ]);
  return [
    ...[emulator, '-name', plan.name, '-nodefaults', '-no-user-config', '-display', 'none'],
    ...['-machine', `${board},memory-backend=memory`, ...accelerationWords(plan)],
    ...['-smp', String(plan.cpus), '-m', String(plan.memoryMiB), '-object', memory],
    ...['-rtc', 'base=utc,clock=host'],
    ...['-kernel', 'kernel', '-initrd', 'initrd'],
    ...['-append', kernelWords(plan)],
    // a lab's disk is thrown away: nothing is gained by waiting for the host's disk
    ...['-drive', 'file=disk.qcow2,format=qcow2,if=none,id=root,cache=unsafe'],
    ...['-device', 'virtio-blk-pci,drive=root'],
    // the host writes here while the machine runs: no locks, and no writing from inside
    ...['-blockdev', 'driver=file,node-name=drop-file,filename=drop.img,read-only=on,locking=off'],
    ...['-blockdev', 'driver=raw,node-name=drop,file=drop-file,read-only=on'],
    ...['-device', 'virtio-blk-pci,drive=drop'],
    ...['-netdev', `tap,id=net,ifname=${tap},script=no,downscript=no,vhost=off`],
    ...['-device', `virtio-net-pci,netdev=net,mac=${mac}`],
    ...['-device', 'virtio-rng-pci', '-device', 'virtio-serial-pci', ...agents],
    ...['-chardev', 'file,id=console,path=console.log,append=on', '-serial', 'chardev:console'],
    ...['-qmp', 'unix:qmp.sock,server=on,wait=off'],
    ...(plan.incoming ? ['-incoming', 'defer'] : []),
  ];
}

type Processor = Pick<QemuPlan, 'architecture' | 'acceleration'>;

/**
 * What a machine of each architecture is built of; all that is not named here they have in common. As a processor for
 * the emulator, arm64 has one without pointer authentication, of which each call of a function would be a calculation.
 */
export const hardware: Readonly<Record<Architecture, Hardware>> = {
  x64: { emulator: 'qemu-system-x86_64', board: 'pc', serial: 'ttyS0', emulated: 'max' },
  arm64: { emulator: 'qemu-system-aarch64', board: 'virt', serial: 'ttyAMA0', emulated: 'cortex-a72' },
};

interface Hardware {
  /** The program that runs it, with or without a processor that does. */
  emulator: string;
  board: string;
  /** The kernel's name of the line that its console goes to. */
  serial: string;
  /** The processor when it is emulated. */
  emulated: string;
}

/** What the kernel is started with. */
const kernelWords = ({ architecture, acceleration }: Processor): string =>
  [
    `console=${hardware[architecture].serial} quiet net.ifnames=0 mitigations=off cryptomgr.notests audit=0`,
    // the emulator translates a program anew wherever it lies, so starting one at a random place takes three times as long
    ...(acceleration === 'tcg' ? ['norandmaps'] : []),
  ].join(' ');

/** The words of an acceleration and a processor; `max` is every feature that it offers. */
export const accelerationWords = ({ architecture, acceleration }: Processor): string[] => [
  // the emulator keeps translated code, by default up to 1 GiB of it
  ...['-accel', acceleration === 'kvm' ? 'kvm' : 'tcg,thread=multi,tb-size=1024'],
  ...['-cpu', acceleration === 'kvm' ? 'max' : hardware[architecture].emulated],
];

/**
 * A mount namespace that is entered loses the working folder. An emulated machine is what everything waits for, and when
 * it idles it takes nothing, so it goes first; where the kernel groups processes by session (sched(7), autogroup), what
 * `nice` says holds within the session alone, and the session's own value counts.
 */
const firstInFolder = [
  ...['sh', '-c'],
  'cd "$0" || exit; { echo -10 >/proc/self/autogroup; } 2>/dev/null; exec nice -n -10 "$@"',
];

/**
 * Starts QEMU in a machine's folder and connects to its control line. It runs in a session of its own.
 *
 * @param enter words that put it where the tap is
 * @throws Error with what QEMU said when it ended at once
 */
export async function startQemu(
  dir: string,
  enter: readonly string[],
  plan: QemuPlan,
): Promise<{ process: ProcessId; qmp: Qmp }> {
  await rm(join(dir, 'qmp.sock'), { force: true });
  const log = join(dir, 'qemu.log');
  const pid = await spawnDetached([...enter, ...firstInFolder, dir, ...qemuWords(plan)], { log });
  const process = processOf(pid) ?? { pid, started: 'gone' };
  const seen = await until(
    `QEMU answers in ${dir} (log: ${log})`,
    async () => (isAlive(process) ? openQmp(dir) : 'ended'),
    Boolean,
    { within: ours.qemuAnswers, every: 5 },
  ).catch((error: unknown) => {
    endProcess(process.pid);
    throw error;
  });
  if (seen === 'ended') throw new Error(`QEMU ended at once: ${await lastWords(dir)}`);
  return { process, qmp: seen };
}

/** What QEMU said last. */
const lastWords = async (dir: string): Promise<string> =>
  (await readFile(join(dir, 'qemu.log'), 'utf8')).trim().slice(-1000) || 'it said nothing';

/** Saves the state of a machine whose memory is a file into the file `state`, and ends it. */
export async function saveState(dir: string, qmp: Qmp, process: ProcessId): Promise<void> {
  await qmp.ask('stop');
  await migrate(dir, qmp, process, 'migrate', 'exec:cat >state');
  await qmp.ask('quit');
  await untilEnded(process, dir, ours.qemuEnds);
}

/** Loads the file `state` into a machine that waits for one, and lets it run. */
export async function loadState(dir: string, qmp: Qmp, process: ProcessId): Promise<void> {
  await migrate(dir, qmp, process, 'migrate-incoming', 'exec:cat state');
  await qmp.ask('cont');
}

/** Switches a machine off, as if its plug were pulled. `process` may be one that only waits for QEMU. */
export async function switchOff(dir: string, process: ProcessId): Promise<void> {
  const qmp = await openQmp(dir);
  await qmp.ask('quit');
  await untilEnded(process, dir, ours.qemuEnds);
}

export async function untilEnded(process: ProcessId, dir: string, within: Within): Promise<void> {
  await until(
    `QEMU has ended (${dir})`,
    async () => Promise.resolve(isAlive(process)),
    (alive) => !alive,
    { within, every: 20 },
  );
}

interface Migration {
  status?: string;
  'error-desc'?: string;
}

async function migrate(
  dir: string,
  qmp: Qmp,
  process: ProcessId,
  how: 'migrate' | 'migrate-incoming',
  uri: string,
): Promise<void> {
  // the memory is a file already: only the devices are written, which takes milliseconds
  const capabilities = [{ capability: 'x-ignore-shared', state: true }];
  await qmp.ask('migrate-set-capabilities', { capabilities });
  await qmp.ask('migrate-set-parameters', { 'max-bandwidth': 1e12 });
  await qmp.ask(how, { uri });
  const seen = await until<Migration>(
    'the state of the machine is transferred',
    async () =>
      isAlive(process) ? qmp.ask('query-migrate') : { status: 'failed', 'error-desc': 'QEMU ended' },
    ({ status }) => status === 'completed' || status === 'failed',
    { within: ours.stateMoves, every: 5 },
  );
  if (seen.status !== 'completed') {
    const why = seen['error-desc'] ?? 'no reason given';
    throw new Error(`QEMU could not transfer the machine's state (${how}), ${why}: ${await lastWords(dir)}`);
  }
}
