import { copyFile, mkdir, rm } from 'node:fs/promises';
import { constants } from 'node:fs';
import { join } from 'node:path';
import { ours } from '#lib/base/deadlines.ts';
import type { NodeMachine } from '#lib/machines/node-machine.ts';

const ctr = ['ctr', '--namespace', 'k8s.io', 'images'];

/** Puts an image onto a node under all of its names, unless it is there. */
export async function putImage(node: NodeMachine, archive: string, names: readonly string[]): Promise<void> {
  const present = (await node.run([...ctr, 'ls', '-q'])).stdout.split('\n');
  const [first = '', ...others] = names.filter((name) => !present.includes(name));
  if (!first) return;
  const file = '/var/tmp/judge.oci';
  const outside = join(node.dir, file);
  await mkdir(join(node.dir, 'var/tmp'), { recursive: true });
  await copyFile(archive, outside, constants.COPYFILE_FICLONE);
  try {
    // the archive holds the tag
    const base = first.slice(0, first.lastIndexOf(':'));
    await node.run([...ctr, 'import', '--base-name', base, file], { within: ours.packing });
    for (const name of others) await node.run([...ctr, 'tag', '--force', first, name]);
  } finally {
    await rm(outside, { force: true });
  }
}
