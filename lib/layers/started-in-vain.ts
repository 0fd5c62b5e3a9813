import { ours } from '#lib/base/deadlines.ts';
import type { Change } from '#lib/kube/manifest.ts';
import { untilLogged } from '#lib/probes/agent-log.ts';
import type { Lab } from './lab.ts';
import { otherClusterEnv } from './other-cluster-env.ts';
import { together } from './passing.ts';
import { runningSidecar } from './sidecar.ts';
import { placement } from './workload.ts';

/**
 * The sidecar started anew with a cluster.env that leads it to a port where nobody listens; it has tried, and was
 * refused. The undo starts it as it was.
 *
 * @param edit makes the content of that cluster.env out of the one on the VM
 */
export async function startedInVain(lab: Lab, edit: (env: string) => string): Promise<Change> {
  return together(
    async () => runningSidecar(lab),
    async () => {
      const env = await lab.vm.read(placement['cluster.env'] ?? '');
      const other = await otherClusterEnv(lab);
      try {
        // without it the agent tells only after half a minute why it has no stream
        const talkative = 'ISTIO_AGENT_FLAGS=--log_output_level=default:info,xdsproxy:debug';
        const mark = await other.startWith(`${edit(env)}${talkative}\n`);
        await untilLogged(lab.vm, mark, /xdsproxy.*connect: connection refused/, ours.agentSays);
      } catch (error) {
        await other.undo();
        throw error;
      }
      return other;
    },
  );
}
