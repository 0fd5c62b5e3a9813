import { attempt, type Output } from '#lib/base/command.ts';
import type { Deadline } from '#lib/base/deadline.ts';
import { ours } from '#lib/base/deadlines.ts';
import { ownProgram } from '#lib/base/own-program.ts';
import { settings } from '#lib/base/settings.ts';
import { labNames } from '#lib/machines/local/sweep.ts';
import { lack } from './features.ts';

/** `npm run lab -- <words>`, as whoever uses it calls it. On Linux it ends with us; its exit status is an answer. */
export async function labCommand(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Output> {
  if (settings().lab.provider === 'existing') throw lack('second-lab');
  const program = ownProgram('lib/cli/lab.ts');
  // elsewhere nothing ends a program with whoever started it, so one that is killed leaves it to finish
  const endsWithUs = process.platform === 'linux' ? ['setpriv', '--pdeathsig', 'KILL', '--'] : [];
  return attempt([...endsWithUs, ...program, ...words], {
    env,
    within: ofMachines({ own: ours.labCommand, launched: ours.labCommandLaunched }),
  });
}

/** How long something with all machines of a lab may take: ours are up in seconds, launched ones in minutes. */
export const ofMachines = ({ own, launched }: { own: Deadline; launched: Deadline }): Deadline =>
  settings().lab.provider === 'multipass' ? launched : own;

/** Whether a lab of this name stands, or left something behind. */
export const labIsThere = (name: string): boolean => labNames().includes(name);
