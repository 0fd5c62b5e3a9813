import { attempt, run } from '#lib/base/command.ts';
import { ownProgram } from '#lib/base/own-program.ts';
import { labKubeconfig } from './kubeconfig.ts';
import { enterLab, type LocalLab } from '#lib/machines/local/lab.ts';
import { startWords, stateWords, statesIn, stopWords, type ProgramState } from '#lib/machines/supervised.ts';

export type Controller = 'network-policy' | 'service-lb';

/** The name under which both are supervised, as one program. */
export const controllers = 'controllers';

/**
 * Starts the policy engine and the service load balancer, in the lab's namespaces; the API need not answer yet. What
 * they say goes to <lab>/controllers.log.
 *
 * @param only one of the two alone
 */
export async function startControllers(
  lab: LocalLab,
  nodes: readonly string[],
  only?: Controller,
): Promise<void> {
  const words = [
    ...ownProgram('lib/distribution/controllers.ts'),
    ...['--kubeconfig', labKubeconfig(lab), '--nodes', nodes.join(',')],
    ...(only === undefined ? [] : ['--only', only]),
  ];
  const start = startWords({ name: controllers, words, logs: lab.dir });
  await run([...enterLab(lab), ...start], { shown: ['lab: start', controllers, ...words] });
}

/** Ends both controllers as an administrator would; the rules of the policy engine go with it. */
export async function stopControllers(lab: LocalLab): Promise<void> {
  await run([...enterLab(lab), ...stopWords(controllers, 'TERM')]);
}

/** What the controllers of a lab are; undefined when they were never started, as where others do their work. */
export async function controllersOf(
  lab: LocalLab,
): Promise<{ state: ProgramState; pid?: number } | undefined> {
  if (!lab.addresses) return undefined;
  const { stdout } = await attempt([...enterLab(lab), ...stateWords()]);
  return statesIn(stdout).get(controllers);
}
