import { run } from '#lib/base/command.ts';
import { programOf, type EndedProgram } from '#lib/base/ended.ts';
import { controllersOf } from '#lib/distribution/start-controllers.ts';
import type { Lab } from '#lib/layers/lab.ts';
import { enterLab } from '#lib/machines/local/lab.ts';

/** A program of a node, or what the lab has beside its machines. */
export type Victim = Pick<EndedProgram, 'node' | 'program'>;

/** The process id of a program. @throws Error when it does not run */
export async function pidOf(lab: Lab, { node, program }: Victim): Promise<number> {
  const machine = lab.nodes.find(({ name }) => name === node);
  const found = machine ? (await machine.daemons()).get(program) : await controllersOf(lab.local);
  if (found?.pid === undefined) throw new Error(`${programOf({ node, program })} does not run.`);
  return found.pid;
}

/** Kills a program by its process id: nobody who wants it to stay away does that. */
export async function kill(lab: Lab, victim: Victim): Promise<void> {
  const words = ['kill', '-KILL', String(await pidOf(lab, victim))];
  const machine = lab.nodes.find(({ name }) => name === victim.node);
  await (machine ? machine.run(words) : run([...enterLab(lab.local), ...words]));
}
