import { closeSync, openSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join } from 'node:path';
import { attempt, CommandError, run } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { messageOf } from '#lib/base/errors.ts';
import { readJson, sha256File, writeAtomic } from '#lib/base/files.ts';
import { cacheDir } from '#lib/base/paths.ts';
import { say } from '#lib/base/progress.ts';
import { ownArchitecture, type Architecture } from '#lib/artifacts/architecture.ts';
import { contained } from '#lib/artifacts/contained.ts';
import { keyOf } from '#lib/artifacts/store.ts';
import { accelerationWords, hardware } from './qemu.ts';

/** Who runs the machine's instructions: the processor itself, or an emulator. */
export type Acceleration = 'kvm' | 'tcg';

interface Answer {
  acceleration: Acceleration;
  /** What was seen, in words. */
  why: string;
  inputs: unknown;
}

/**
 * How a machine with this image runs fastest here. /dev/kvm may open and a guest hang under it all the same, so the
 * kernel is booted once under it, against a deadline; the answer is kept in the cache for this host and this kernel.
 *
 * @param image the folder of a VM image
 * @param architecture what it is made for; a processor runs its own alone
 */
export async function acceleration(image: string, architecture: Architecture): Promise<Acceleration> {
  if (architecture !== ownArchitecture || !canOpen('/dev/kvm')) return 'tcg';
  const kernel = join(image, 'kernel');
  const inputs = {
    kernel: await sha256File(kernel),
    qemu: await qemuVersion(architecture),
    host: release(),
    cpu: cpuModel(),
  };
  const file = join(cacheDir(), 'acceleration', `${keyOf('acceleration', inputs)}.json`);
  const known = readJson<Answer>(file);
  if (known) return known.acceleration;
  const seen = await bootUnderKvm(kernel);
  say(seen.why);
  await writeAtomic(file, JSON.stringify({ ...seen, inputs }, undefined, 1));
  return seen.acceleration;
}

/** The version line of the QEMU that runs machines of this architecture. */
export async function qemuVersion(architecture: Architecture): Promise<string> {
  return (await run([hardware[architecture].emulator, '--version'])).stdout.split('\n')[0] ?? '';
}

export const cpuModel = (): string => cpus()[0]?.model ?? 'unknown';

/** Boots the kernel without a root: a guest that works says so on the console, panics, and ends QEMU. */
async function bootUnderKvm(kernel: string): Promise<Omit<Answer, 'inputs'>> {
  const architecture = ownArchitecture;
  const { emulator, board, serial } = hardware[architecture];
  const words = [
    ...[emulator, '-nodefaults', '-no-user-config', '-display', 'none', '-no-reboot', '-machine', board],
    ...[...accelerationWords({ architecture, acceleration: 'kvm' }), '-smp', '2', '-m', '256'],
    ...['-serial', 'stdio', '-kernel', kernel, '-append', `console=${serial} panic=-1`],
  ];
  try {
    const { stdout, stderr, code, ms } = await attempt(contained(words), { within: ours.kvmTrial });
    return judge(stdout, stderr, code, ms);
  } catch (error) {
    return { acceleration: 'tcg', why: `A guest does not run under /dev/kvm (${reason(error)}): emulating` };
  }
}

/** The cause in a few words: what QEMU said, or how it ended. */
function reason(error: unknown): string {
  const said = error instanceof CommandError ? error.output.stderr.trim().split('\n')[0] : '';
  const how = messageOf(error).split(':')[0] ?? '';
  return said ? `${how}, ${said.slice(0, 200)}` : how;
}

/** What the console of that boot tells. */
export function judge(console: string, stderr: string, code: number, ms: number): Omit<Answer, 'inputs'> {
  if (code === 0 && console.includes('Kernel panic - not syncing: VFS')) {
    return { acceleration: 'kvm', why: `A kernel boots under /dev/kvm in ${String(ms)} ms: using it` };
  }
  const said = stderr.trim().split('\n')[0] ?? '';
  return {
    acceleration: 'tcg',
    why: `A kernel does not boot under /dev/kvm (exit status ${String(code)}, ${said}): emulating`,
  };
}

function canOpen(device: string): boolean {
  try {
    closeSync(openSync(device, 'r+'));
    return true;
  } catch {
    return false;
  }
}
