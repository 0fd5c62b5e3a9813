import { multipass as onPath } from './cli.ts';
import { instanceOf } from './provider.ts';

/**
 * Which machines of a lab run, by what multipass says: none is forgotten because the lab's folder is gone.
 *
 * @param names of the machines that it may have
 */
export async function runningInstances(
  lab: string,
  names: readonly string[],
  multipass = onPath(),
): Promise<string[]> {
  const running = (await multipass.list()).flatMap(({ name, state }) => (state === 'Running' ? [name] : []));
  return names.filter((name) => running.includes(instanceOf(lab, name)));
}
