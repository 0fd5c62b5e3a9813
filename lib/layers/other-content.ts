import { readFile, stat } from 'node:fs/promises';
import { writeAtomic } from '#lib/base/files.ts';
import { fixture } from '#lib/base/paths.ts';
import { change, type Change } from '#lib/kube/manifest.ts';
import type { Lab } from './lab.ts';

/** A file of the host with other content. @throws Error when the edit leaves it as it is */
export async function otherContent(
  file: string,
  name: string,
  edit: (content: string) => string,
): Promise<Change> {
  const [before, { mode }] = [await readFile(file, 'utf8'), await stat(file)];
  const after = edit(before);
  if (after === before) throw new Error(`${file} has nothing to change for: ${name}.`);
  await writeAtomic(file, after, mode & 0o777);
  return change(name, async () => writeAtomic(file, before, mode & 0o777));
}

/** fixtures/run.env with another default for a setting. */
export const otherDefault = async (setting: string, value: string): Promise<Change> =>
  otherContent(fixture('run.env'), `${setting}=${value} in run.env`, (text) =>
    text.replace(new RegExp(`^${setting}=.*$`, 'm'), `${setting}=${value}`),
  );

/** A file of the VM edited by a command of sed. The undo puts back the file itself, which a program may hold open. */
export async function otherOnVm({ vm }: Lab, file: string, name: string, sed: string): Promise<Change> {
  const aside = `${file}.aside`;
  await vm.run(['bash', '-ec', 'mv "$0" "$1"; cp --archive "$1" "$0"; sed -i "$2" "$0"', file, aside, sed]);
  return change(name, async () => {
    await vm.run(['mv', aside, file]);
  });
}
