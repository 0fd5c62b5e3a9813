import { cp, mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { cacheDir, root } from '#lib/base/paths.ts';
import { makeDisk } from './image.ts';

/** Artifacts that no lab without a VM reads. */
const leftOut = /^(vm-|box-|judge-|durations$)|\.(draft|lock)$/;

/**
 * A disk with this checkout (`project`: what git knows or would add, and its node_modules) and the artifacts of the
 * cache (`cache`), so that nothing is downloaded in the box, and only images are unpacked
 * there, when its containerd is of another series.
 *
 * @param scratch a folder on the file system of the cache
 * @returns the path of the disk, a qcow2 file
 */
export async function projectDisk(scratch: string, note: (text: string) => void): Promise<string> {
  const staging = join(scratch, 'staging');
  note('copying the checkout');
  const project = join(staging, 'project');
  const { stdout } = await run(['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
  });
  for (const file of stdout.split('\0').filter(Boolean)) {
    await cp(join(root, file), join(project, file), { verbatimSymlinks: true }).catch((error: unknown) => {
      // a file that was removed from the checkout is still known to git
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    });
  }
  await run(['cp', '-a', join(root, 'node_modules'), project], { within: ours.packing });
  note('linking the artifacts');
  const from = join(cacheDir(), 'artifacts');
  const artifacts = join(staging, 'cache/artifacts');
  await mkdir(artifacts, { recursive: true });
  const wanted = (await readdir(from)).filter((name) => !leftOut.test(name));
  await run(['cp', '-al', ...wanted.map((name) => join(from, name)), artifacts], { within: ours.packing });
  note('making the disk');
  const disk = join(scratch, 'project.qcow2');
  await makeDisk(staging, disk, '40G', 'project');
  return disk;
}
