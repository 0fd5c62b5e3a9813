import { setMaxListeners } from 'node:events';
import { parseArgs } from 'node:util';
import { RefusedError, messageOf } from '#lib/base/errors.ts';
import { connection } from '#lib/kube/connection.ts';
import { policyEngine } from './network-policy/engine.ts';
import { serviceLoadBalancer } from './service-lb/controller.ts';

/**
 * The process that runs the cluster's policy engine and its service load balancer, one for all nodes, in the
 * namespaces of the lab. It may start before the API server. SIGTERM takes the policy rules away and ends it.
 *
 *   tsx lib/distribution/controllers.ts --kubeconfig <file> --nodes a,b,c
 *     [--only network-policy|service-lb] [--namespaces /run/netns]
 */
const { values } = parseArgs({
  options: {
    kubeconfig: { type: 'string' },
    nodes: { type: 'string' },
    only: { type: 'string' },
    namespaces: { type: 'string', default: '/run/netns' },
  },
});

const log = (text: string): void => {
  process.stderr.write(`${new Date().toISOString()} ${text}\n`);
};

try {
  start();
} catch (error) {
  log(messageOf(error));
  process.exitCode = error instanceof RefusedError ? 2 : 1;
}

function start(): void {
  const { kubeconfig, only, namespaces } = values;
  const nodes = (values.nodes ?? '').split(',').filter(Boolean);
  if (kubeconfig === undefined || nodes.length === 0)
    throw new RefusedError('--kubeconfig and --nodes are needed.');
  if (only !== undefined && !['network-policy', 'service-lb'].includes(only)) {
    throw new RefusedError(`--only takes network-policy or service-lb, got "${only}".`);
  }
  const api = connection(kubeconfig);
  const ending = new AbortController();
  const { signal } = ending;
  // each informer listens while it asks
  setMaxListeners(0, signal);
  const prefixed = (name: string) => (text: string) => {
    log(`${name}: ${text}`);
  };
  if (only !== 'network-policy') serviceLoadBalancer(api, { log: prefixed('service-lb'), signal });
  const stopEngine =
    only === 'service-lb'
      ? undefined
      : policyEngine(api, { nodes, namespaces, log: prefixed('network-policy'), signal });
  log(`started for ${nodes.join(', ')}`);

  const end = async (): Promise<void> => {
    ending.abort();
    await stopEngine?.();
    log('ended');
    process.exit(0);
  };
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => void end());
}
