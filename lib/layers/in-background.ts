import { change, type Change } from '#lib/kube/manifest.ts';
import type { Lab } from './lab.ts';

/** Runs a program in the lab's network as a host that is neither node, pod nor VM; the undo ends it. */
export async function inBackground(
  { bystander }: Pick<Lab, 'bystander'>,
  name: string,
  words: readonly string[],
): Promise<Change> {
  // what stays in the background must not hold on to our pipes
  const shell = '"$@" >/dev/null 2>&1 </dev/null & echo $!';
  const { stdout } = await bystander(['sh', '-c', shell, '-', ...words]);
  return change(name, async () => {
    await bystander(['kill', stdout.trim()]);
  });
}
