import { seconds } from '#lib/base/until.ts';
import { change, type Change } from '#lib/kube/manifest.ts';
import { connected, logSinceStart } from '#lib/probes/agent-log.ts';
import type { Lab } from './lab.ts';
import { entryOf, healthOf, registered } from './sidecar.ts';
import { startSidecar } from './workload.ts';

const file = '/var/lib/istio/envoy/cluster.env';
const aside = `${file}.aside`;
const startAgain = 'systemctl kill --signal=KILL istio; systemctl restart istio';

/** A change of cluster.env on the VM. */
export interface OtherClusterEnv extends Change {
  /** Starts the sidecar anew with this content; waits for nothing. */
  startWith(content: string): Promise<void>;
}

/**
 * Starts the sidecar from another cluster.env. The redirect rules are left as they are (ISTIO_CUSTOM_IP_TABLES):
 * under emulation they would take most of the time, and where istiod is makes no difference to them.
 * The undo puts the file back; a sidecar that is connected by then runs on.
 */
export async function otherClusterEnv(lab: Lab): Promise<OtherClusterEnv> {
  const { vm } = lab;
  const wasHealthy = healthOf(await entryOf(lab)) === 'True';
  await vm.run(['cp', '--archive', file, aside]);
  const undoing = change('another cluster.env', async () => {
    await vm.run(['mv', aside, file]);
    const log = await logSinceStart(vm);
    if (!log.some((line) => connected.test(line))) {
      await vm.run(['bash', '-c', startAgain], { within: seconds(60) });
    }
    await startSidecar(lab, seconds(50));
    await registered(lab, wasHealthy);
  });
  return {
    ...undoing,
    async startWith(content) {
      const words = ['bash', '-c', `cat >${file} && { ${startAgain}; }`];
      await vm.run(words, { input: `${content}ISTIO_CUSTOM_IP_TABLES=true\n`, within: seconds(60) });
    },
  };
}
