import { RefusedError } from '#lib/base/errors.ts';
import type { Machine } from '#lib/machines/machine.ts';
import type { Lab } from './lab.ts';

/** A machine of the lab by its name; `vm` is short for the external one. @throws RefusedError that says which there are */
export function machineOf(lab: Pick<Lab, 'nodes' | 'vm' | 'features'>, name = '(none given)'): Machine {
  const nodes = lab.features.has('node-access') ? lab.nodes : [];
  const machines = [...nodes, lab.vm];
  const found = name === 'vm' ? lab.vm : machines.find((one) => one.name === name);
  if (found) return found;
  throw new RefusedError(
    `There is no machine ${name}; there are ${machines.map((one) => one.name).join(', ')}.`,
  );
}

/** The words that run a command (a login shell without one) on the VM as its ordinary user, who may become root by sudo. */
export const asUser = (words: readonly string[]): string[] => [
  ...['sudo', '--login', '--user', 'ubuntu'],
  ...(words.length > 0 ? ['--', ...words] : []),
];
