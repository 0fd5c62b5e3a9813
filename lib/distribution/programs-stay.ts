import { endedIn, endOf, programOf } from '#lib/base/ended.ts';
import { ours } from '#lib/base/deadlines.ts';
import { seconds, until } from '#lib/base/until.ts';
import type { LocalLab } from '#lib/machines/local/lab.ts';
import type { NodeMachine } from '#lib/machines/node-machine.ts';
import type { ProgramState } from '#lib/machines/supervised.ts';
import { programsOn, type Distribution } from './distribution.ts';
import { controllers, controllersOf } from './start-controllers.ts';

/** Who has ended lately must have been running this long again. */
const settled = seconds(5);

/**
 * Waits until every program of a cluster runs, but for those that somebody stopped; one that has ended lately must have
 * stayed up since.
 *
 * @throws NotSeenError that names those which do not
 */
export async function programsStay(
  lab: LocalLab,
  distribution: Pick<Distribution, 'programs'>,
  nodes: readonly NodeMachine[],
): Promise<void> {
  await until(
    'every program of the cluster runs',
    async () => (await downOf(lab, distribution, nodes)).join('; ') || 'all run',
    (seen) => seen === 'all run',
    { within: ours.programsStay, every: 200 },
  );
}

/** What does not run, or not for long, in words. */
async function downOf(
  lab: LocalLab,
  distribution: Pick<Distribution, 'programs'>,
  nodes: readonly NodeMachine[],
): Promise<string[]> {
  const onNodes = nodes.map(async (node) => {
    const states = await node.daemons();
    return programsOn(distribution, node).flatMap(({ name }) =>
      // without a supervisor who is stopped is not known any more
      down(
        { node: node.name, program: name },
        states.get(name)?.state ?? (node.supervised ? undefined : 'stopped'),
      ),
    );
  });
  const ofLab = await controllersOf(lab);
  const lately = endedIn(lab.dir, Date.now() - settled).map(endOf);
  return [
    ...(await Promise.all(onNodes)).flat(),
    ...(ofLab ? down({ node: 'lab', program: controllers }, ofLab.state) : []),
    ...lately,
  ];
}

const down = (one: { node: string; program: string }, state: ProgramState | undefined): string[] =>
  state === 'running' || state === 'stopped'
    ? []
    : [`${programOf(one)} ${state === undefined ? 'was never started' : 'ended'}`];
