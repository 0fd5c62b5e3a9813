import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ownArchitecture } from '#lib/artifacts/architecture.ts';
import { contained } from '#lib/artifacts/contained.ts';
import { attempt, run } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { messageOf } from '#lib/base/errors.ts';
import { until } from '#lib/base/until.ts';
import { ssh, type Ssh } from '#lib/machines/existing/ssh.ts';
import { acceleration } from '#lib/machines/local/acceleration.ts';
import { freePort } from '#lib/machines/local/forward.ts';
import { hardware } from '#lib/machines/local/qemu.ts';

/** A box that runs. */
export interface Box {
  ssh: Ssh;
  /** How to log in by hand, for whoever keeps it. */
  login: string;
  /** Switches it off and waits until its QEMU has ended. */
  end(): Promise<void>;
}

/**
 * Boots a box and waits until ssh answers. Its network is QEMU's own, with no way out of the box: only port 22 is
 * forwarded, to a port of loopback. It ends with us, also when we are killed.
 *
 * @param image what `boxImage` returned
 * @param project the disk of the project
 * @param scratch a folder for what the box writes
 * @throws Error with the end of its console when it does not come up
 */
export async function bootBox(image: string, project: string, scratch: string): Promise<Box> {
  const disk = join(scratch, 'disk.qcow2');
  await run([
    'qemu-img',
    'create',
    '-q',
    '-f',
    'qcow2',
    '-F',
    'qcow2',
    '-b',
    join(image, 'disk.qcow2'),
    disk,
  ]);
  const port = await freePort();
  const key = join(scratch, 'id');
  await copyFile(join(image, 'id'), key);
  const knownHosts = join(scratch, 'known_hosts');
  const hostKey = (await readFile(join(image, 'host_key.pub'), 'utf8')).trim();
  await writeFile(knownHosts, `[127.0.0.1]:${String(port)} ${hostKey}\n`);
  const off = new AbortController();
  const words = await qemuWords(image, { disk, project, port, console: join(scratch, 'console.log') });
  const running = attempt(contained(words), { within: ours.boxLives, signal: off.signal }).then(
    ({ stderr }) => stderr,
    (error: unknown) => messageOf(error),
  );
  const ended = { said: undefined as string | undefined };
  void running.then((said) => (ended.said = said));
  const end = async (): Promise<void> => {
    off.abort();
    await running;
  };
  const inside = ssh({ user: 'root', host: '127.0.0.1', port }, { key, knownHosts });
  try {
    await until(
      'the box answers by ssh',
      async () => {
        if (ended.said !== undefined) return `QEMU ended: ${ended.said}`;
        await inside.connect();
        return 'connected';
      },
      (seen) => seen !== '',
      { within: ours.boxBoots, every: 2000 },
    );
    if (ended.said !== undefined) throw new Error(`QEMU ended: ${ended.said}`);
  } catch (error) {
    await end();
    const console = await readFile(join(scratch, 'console.log'), 'utf8').catch(() => '');
    throw new Error(`${messageOf(error)}\nThe console ends with:\n${console.slice(-2000)}`, { cause: error });
  }
  const login = `ssh -i ${key} -o UserKnownHostsFile=${knownHosts} -p ${String(port)} root@127.0.0.1`;
  return {
    ssh: inside,
    login,
    end: async () => {
      await inside.disconnect();
      await end();
    },
  };
}

async function qemuWords(
  image: string,
  { disk, project, port, console }: { disk: string; project: string; port: number; console: string },
): Promise<string[]> {
  const { emulator, serial } = hardware[ownArchitecture];
  const kvm = (await acceleration(image, ownArchitecture)) === 'kvm';
  // an emulated SVM would let what runs in the box take KVM, which the emulator does not survive
  const kernel = `root=/dev/vda rw console=${serial} mitigations=off norandmaps modprobe.blacklist=kvm_amd,kvm_intel,kvm`;
  const drive = (file: string): string[] => ['-drive', `file=${file},if=virtio,format=qcow2,cache=unsafe`];
  return [
    ...[emulator, '-name', 'box', '-display', 'none', '-no-reboot', '-smp', '2', '-m', '12G'],
    ...['-accel', kvm ? 'kvm' : 'tcg,thread=multi,tb-size=2048', '-cpu', kvm ? 'host' : 'max'],
    ...['-kernel', join(image, 'kernel'), '-initrd', join(image, 'initrd'), '-append', kernel],
    ...[...drive(disk), ...drive(project)],
    ...['-netdev', `user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:${String(port)}-:22`],
    ...['-device', 'virtio-net-pci,netdev=net', '-device', 'virtio-rng-pci', '-serial', `file:${console}`],
  ];
}
