import { seconds, until } from '#lib/base/until.ts';
import type { Resource } from '#lib/kube/client.ts';
import { change, type Change } from '#lib/kube/manifest.ts';
import { logSinceStart, timeOf } from '#lib/probes/agent-log.ts';
import type { Lab } from './lab.ts';
import { startSidecar } from './workload.ts';

/** `systemctl stop istio`: draining, the end of the agent, and the clean-up of the unit. */
export async function stopSidecar({ vm }: Lab): Promise<void> {
  await vm.run(['systemctl', 'stop', 'istio'], { within: seconds(60) });
}

/** Ends the sidecar without draining; the unit's clean-up runs, and it stays stopped. */
export async function killSidecar({ vm }: Lab): Promise<void> {
  await vm.run(['bash', '-c', 'systemctl kill --signal=KILL istio; systemctl stop istio'], {
    within: seconds(60),
  });
}

/** The WorkloadEntry that the VM registers itself as; undefined while there is none. */
export async function entryOf({ kube, vm, settings }: Lab): Promise<Resource | undefined> {
  const name = `${settings.vmApp}-${await vm.address()}-${settings.vmNetwork}`;
  return kube.get({
    apiVersion: 'networking.istio.io/v1',
    kind: 'WorkloadEntry',
    name,
    namespace: settings.vmNamespace,
  });
}

/** What is told about the health of an entry: True, False, or undefined as long as nothing is. */
export function healthOf(entry: Resource | undefined): string | undefined {
  const conditions = (entry?.status?.['conditions'] ?? []) as { type: string; status: string }[];
  return conditions.find(({ type }) => type === 'Healthy')?.status;
}

/** The sidecar as it runs now, to come back to: the undo starts the unit and waits until the VM is back in the mesh. */
export async function runningSidecar(lab: Lab): Promise<Change> {
  const wasHealthy = healthOf(await entryOf(lab)) === 'True';
  return change('the sidecar stopped', async () => {
    await startSidecar(lab, seconds(50));
    await registered(lab, wasHealthy);
  });
}

/** Waits until the entry says that the VM is connected; and healthy, when that is asked for. */
export async function registered(lab: Lab, healthy = false, within = seconds(30)): Promise<Resource> {
  const entry = await until(
    `the WorkloadEntry of the VM is connected${healthy ? ' and healthy' : ''}`,
    async () => entryOf(lab),
    (seen) =>
      seen?.metadata?.annotations?.['istio.io/connectedAt'] !== undefined &&
      (!healthy || healthOf(seen) === 'True'),
    { within, every: 300 },
  );
  return entry as Resource;
}

/**
 * A start of the agent at which there was no WorkloadEntry: the last start when it was one, or else a new one.
 * The entry is removed by hand meanwhile, which spares the ten seconds of grace.
 */
export async function registeredAfresh(lab: Lab): Promise<Change> {
  const entry = await entryOf(lab);
  const [started = ''] = await logSinceStart(lab.vm);
  if (entry && createdAt(entry) > timeOf(started) - seconds(1))
    return change('the last start', async () => undefined);
  const running = await runningSidecar(lab);
  await killSidecar(lab);
  const { name = '', namespace = '' } = entry?.metadata ?? {};
  if (name)
    await lab.kube.remove({ apiVersion: 'networking.istio.io/v1', kind: 'WorkloadEntry', name, namespace });
  await startSidecar(lab);
  return running;
}

/** When the API server created an object, in milliseconds since 1970, by whole seconds. */
export const createdAt = ({ metadata }: Resource): number =>
  new Date(metadata?.creationTimestamp ?? NaN).getTime();

/** The unit without its ExecStopPost; the undo puts it back, and cleans the rules that were left. */
export async function withoutCleanUp({ vm }: Lab): Promise<Change> {
  const folder = '/etc/systemd/system/istio.service.d';
  const shell = `mkdir -p ${folder} && printf '[Service]\\nExecStopPost=\\n' >${folder}/no-clean-up.conf && systemctl daemon-reload`;
  await vm.run(['bash', '-c', shell]);
  return change('the unit without ExecStopPost', async () => {
    await vm.run(['bash', '-c', `rm -r ${folder} && systemctl daemon-reload`]);
  });
}

const clusterEnv = '/var/lib/istio/envoy/cluster.env';
const aside = `${clusterEnv}.aside`;

/** A change of cluster.env on the VM. */
export interface OtherEnv extends Change {
  /** Starts the sidecar with this cluster.env, beside which the redirect rules stay as they are. */
  startWith(content: string): Promise<void>;
}

/**
 * Starts the sidecar from another cluster.env. The redirect rules are left alone (ISTIO_CUSTOM_IP_TABLES): under
 * emulation they would take most of the time, and they do not depend on where istiod is.
 * The undo puts the file back; only a sidecar that is not ready by then is started again.
 */
export async function otherClusterEnv(lab: Lab): Promise<OtherEnv> {
  const { vm } = lab;
  const wasHealthy = healthOf(await entryOf(lab)) === 'True';
  await vm.run(['cp', '--archive', clusterEnv, aside]);
  const undoing = change('another cluster.env', async () => {
    const ready = 'curl -sf -o /dev/null -m 5 http://127.0.0.1:15021/healthz/ready';
    const again = '{ systemctl kill --signal=KILL istio; systemctl restart istio; }';
    await vm.run(['bash', '-c', `mv ${aside} ${clusterEnv} && { ${ready} || ${again}; }`], {
      within: seconds(60),
    });
    await startSidecar(lab, seconds(50));
    await registered(lab, wasHealthy);
  });
  return {
    ...undoing,
    async startWith(content) {
      const lines = `${content}ISTIO_CUSTOM_IP_TABLES=true\n`;
      await vm.run(
        [
          'bash',
          '-c',
          `cat >${clusterEnv} && { systemctl kill --signal=KILL istio; systemctl restart istio; }`,
        ],
        { input: lines, within: seconds(60) },
      );
    },
  };
}
