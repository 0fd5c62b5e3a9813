import { stringify } from 'yaml';
import { ours } from '#lib/base/deadlines.ts';
import type { FileOptions, Machine } from './machine.ts';

/** What is done in a machine before it is used: files first, then commands, both as root. */
export interface FirstBoot {
  files?: readonly ({ path: string; content: string } & FileOptions)[];
  /** Scripts for sh, one after the other; one that fails ends it. */
  commands?: readonly string[];
}

/**
 * The same as cloud-init takes it: a document of user data.
 *
 * @param done a file that is made when all of it went well
 */
export function cloudConfig(
  { files = [], commands = [] }: FirstBoot,
  { hostname, done }: { hostname: string; done: string },
): string {
  const config = {
    hostname,
    write_files: files.map(({ path, content, mode = 0o644, owner = 'root:root' }) => ({
      path,
      content: Buffer.from(content).toString('base64'),
      encoding: 'b64',
      permissions: `0${mode.toString(8)}`,
      owner: owner.includes(':') ? owner : `${owner}:${owner}`,
    })),
    // cloud-init goes on after a command that failed; a script with -e does not
    runcmd: [
      [
        'sh',
        '-ec',
        [...commands.map((one) => `(\n${one}\n)`), `mkdir -p "$(dirname '${done}')"`, `touch '${done}'`].join(
          '\n',
        ),
      ],
    ],
  };
  return `#cloud-config\n${stringify(config)}`;
}

/** Does it by hand, on a machine of a provider without cloud-init. @throws CommandError of what failed */
export async function doFirstBoot(
  machine: Machine,
  { files = [], commands = [] }: FirstBoot,
  signal?: AbortSignal,
): Promise<void> {
  for (const { path, content, ...options } of files) {
    signal?.throwIfAborted();
    await machine.write(path, content, options);
  }
  for (const command of commands)
    await machine.run(['sh', '-ec', command], {
      within: ours.firstBootStep,
      ...(signal === undefined ? {} : { signal }),
    });
}
