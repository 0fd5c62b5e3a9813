import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { attempt, run } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { ownProgram } from '#lib/base/own-program.ts';
import { until } from '#lib/base/until.ts';
import { labKubeconfig } from './kubeconfig.ts';
import { enterLab, type LocalLab } from '#lib/machines/local/lab.ts';

export type Controller = 'network-policy' | 'service-lb';

const pidFile = (lab: LocalLab): string => join(lab.dir, 'controllers.pid');

/**
 * Starts the policy engine and the service load balancer, in the lab's namespaces; the API need not answer yet.
 *
 * @param only one of the two alone
 */
export async function startControllers(
  lab: LocalLab,
  nodes: readonly string[],
  only?: Controller,
): Promise<void> {
  const log = join(lab.dir, 'controllers.log');
  await run([
    ...[
      'sh',
      '-c',
      `exec "$@" >>'${log}' 2>&1 </dev/null`,
      '-',
      ...enterLab(lab),
      'setsid',
      '-f',
      ...ownProgram('lib/distribution/controllers.ts'),
    ],
    ...[
      '--kubeconfig',
      labKubeconfig(lab),
      '--nodes',
      nodes.join(','),
      '--pidfile',
      pidFile(lab),
      '--log',
      log,
    ],
    ...(only === undefined ? [] : ['--only', only]),
  ]);
}

/** Ends both controllers as an administrator would; the rules of the policy engine go with it. */
export async function stopControllers(lab: LocalLab): Promise<void> {
  if (!existsSync(pidFile(lab))) return;
  const pid = (await readFile(pidFile(lab), 'utf8')).trim();
  await run([...enterLab(lab), 'kill', '-TERM', pid]);
  await until(
    'the controllers have ended',
    async () => (await attempt([...enterLab(lab), 'kill', '-0', pid])).code,
    (code) => code !== 0,
    { within: ours.programEnds },
  );
}
