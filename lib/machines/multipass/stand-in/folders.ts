import { cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { exists } from '#lib/base/files.ts';
import type { Size } from '#lib/base/settings.ts';
import { piped } from '#lib/base/command.ts';
import type { Backend } from './backend.ts';

/** What would change this host itself: as commands of an instance they do nothing. */
const hostsOwn = /\b(?:apt-get|apt|dpkg|systemctl|useradd|hostnamectl|reboot|poweroff)\b/g;

/**
 * Instances that are folders, for tests: a command is a process of this host, for which paths below /run, /srv and
 * /var are the folder's, cloud-init is always done, nothing is installed or set up, and `ip` tells an address that is
 * another with each boot. `<folder>/run` is made anew then.
 */
export function folders(dir: string): Backend {
  const sizes = new Map<string, Size>();
  const boots = new Map<string, number>();
  const boot = async (name: string): Promise<void> => {
    const run = join(dir, name, 'run');
    await rm(run, { recursive: true, force: true });
    await mkdir(run, { recursive: true });
    boots.set(name, (boots.get(name) ?? 0) + 1);
    await writeFile(join(run, 'up'), '');
  };
  // 192.0.2.1 for the first boot of the first, 192.0.2.17 for that of the second
  const addressOf = (name: string): string =>
    `192.0.2.${String([...boots.keys()].indexOf(name) * 16 + (boots.get(name) ?? 0))}`;
  return {
    launch: async (name, size) => {
      sizes.set(name, size);
      await mkdir(join(dir, name, 'var/tmp'), { recursive: true });
      await boot(name);
    },
    start: boot,
    restart: boot,
    stop: async (name) => rm(join(dir, name, 'run/up'), { force: true }),
    remove: async (name) => rm(join(dir, name), { recursive: true, force: true }),
    exec: async (name, words, streams) => {
      const root = join(dir, name);
      if (!exists(join(root, 'run/up'))) return 255;
      const inside = words.map((word) =>
        word
          .replaceAll('cloud-init status', 'echo status: done')
          .replace(hostsOwn, 'true')
          .replace(/(^|[\s'">=])(?=\/(?:run|srv|var)\/)/g, `$1${root}`),
      );
      const asked = inside.indexOf('ip');
      if (asked !== -1 && inside[asked + 3] === 'address')
        inside.splice(asked, Infinity, 'echo', `2: ens3    inet ${addressOf(name)}/24 scope global ens3`);
      return piped(inside, { ...streams, cwd: root });
    },
    put: async (name, path, content) => {
      const file = join(dir, name, path);
      await mkdir(dirname(file), { recursive: true });
      await writeFile(file, content);
    },
    snapshot: async (name, label) => cp(join(dir, name), join(dir, `${name}.${label}`), { recursive: true }),
    restore: async (name, label) => {
      await rm(join(dir, name), { recursive: true, force: true });
      await cp(join(dir, `${name}.${label}`), join(dir, name), { recursive: true });
    },
    address: async (name) => Promise.resolve(addressOf(name)),
    size: async (name) => Promise.resolve(sizes.get(name) ?? { cpus: 1, memoryMiB: 1024, diskGiB: 5 }),
  };
}
