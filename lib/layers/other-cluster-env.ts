import { change, type Change } from '#lib/kube/manifest.ts';
import { connected, endOfLogs, logSinceStart, type LogMark } from '#lib/probes/agent-log.ts';
import type { Lab } from './lab.ts';
import { killSidecar } from './sidecar.ts';

const file = '/var/lib/istio/envoy/cluster.env';
const aside = `${file}.aside`;

/** A change of cluster.env on the VM. */
export interface OtherClusterEnv extends Change {
  /** Starts the sidecar anew with this content, and tells where the logs of that start begin; waits for nothing. */
  startWith(content: string): Promise<LogMark>;
}

/**
 * Starts the sidecar from another cluster.env. The redirect rules are left as they are (ISTIO_CUSTOM_IP_TABLES):
 * under emulation they would take most of the time, and where istiod is makes no difference to them.
 * The undo puts the file back; a sidecar that is connected by then runs on, and one that is not is stopped.
 */
export async function otherClusterEnv(lab: Lab): Promise<OtherClusterEnv> {
  const { vm } = lab;
  await vm.run(['cp', '--archive', file, aside]);
  const undoing = change('another cluster.env', async () => {
    await vm.run(['mv', aside, file]);
    const log = await logSinceStart(vm);
    if (!log.some((line) => connected.test(line))) await killSidecar(lab);
  });
  return {
    ...undoing,
    async startWith(content) {
      const keeping = `${content}ISTIO_CUSTOM_IP_TABLES=true\n`;
      await vm.run(['bash', '-c', `cat >${file}`], { input: keeping });
      await killSidecar(lab);
      const mark = await endOfLogs(vm);
      await vm.run(['systemctl', 'start', 'istio']);
      return mark;
    },
  };
}
