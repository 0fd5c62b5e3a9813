import type { Within } from '#lib/base/deadline.ts';
import { ours } from '#lib/base/deadlines.ts';
import { seconds, until } from '#lib/base/until.ts';
import type { Resource } from '#lib/kube/client.ts';
import { change, type Change } from '#lib/kube/manifest.ts';
import { endpointsOf } from '#lib/probes/envoy.ts';
import { pod } from '#lib/probes/places.ts';
import { isProbe, servedSinceStart } from '#lib/probes/server-log.ts';
import { httpServerRuns, startHttpServer, stopHttpServer } from './http-server.ts';
import { externalAppCluster } from './directions.ts';
import type { Lab } from './lab.ts';
import { entryOf } from './sidecar.ts';
import { orUndone } from './passing.ts';

/** The condition Healthy of a WorkloadEntry. */
export interface Health {
  type: string;
  status: string;
  message?: string;
  lastProbeTime?: string;
  lastTransitionTime?: string;
}

export function healthIn(entry: Resource | undefined): Health | undefined {
  const conditions = (entry?.status?.['conditions'] ?? []) as Health[];
  return conditions.find(({ type }) => type === 'Healthy');
}

/** Waits until the VM's entry says that it is healthy, or that it is not. */
export async function healthBecomes(
  lab: Lab,
  status: 'True' | 'False',
  within: Within = ours.health,
): Promise<Health> {
  const health = await until(
    `the WorkloadEntry of the VM is Healthy=${status}`,
    async () => healthIn(await entryOf(lab)) ?? 'no health told',
    (seen) => typeof seen === 'object' && seen.status === status,
    { within, every: 100 },
  );
  return health as Health;
}

/** Waits until the sidecar of the curl pod has the VM as a healthy endpoint, or has it no more. */
export async function meshKnows(lab: Lab, healthy: boolean): Promise<void> {
  await until(
    `the sidecar of sample/curl ${healthy ? 'has' : 'no longer has'} the VM as a healthy endpoint`,
    async () => endpointsOf(pod(lab, 'sample', 'curl', 'istio-proxy'), externalAppCluster(lab)),
    (endpoints) => endpoints.some((one) => one.healthy) === healthy,
    { within: ours.meshLearns, every: 200 },
  );
}

/** The entry of the VM is healthy, and the mesh sends requests there: after a start of the sidecar, wait for this. */
export async function inMesh(lab: Lab): Promise<void> {
  await healthBecomes(lab, 'True', ours.healthyAfterStart);
  await meshKnows(lab, true);
}

/** The HTTP server on the VM runs, and the mesh sends requests there. */
export async function serving(lab: Lab): Promise<void> {
  await startHttpServer(lab);
  await inMesh(lab);
}

/** Starts the HTTP server on the VM anew; its health may be told to be bad meanwhile. */
export async function restartHttpServer(lab: Lab): Promise<void> {
  await stopHttpServer(lab);
  await serving(lab);
}

/** A probe that is under way when the server stops is reset, and the entry would tell that, not that it is refused. */
async function betweenProbes({ vm }: Lab): Promise<void> {
  await until(
    'the app on the VM was probed less than 3 s ago',
    async () => {
      const { readAt, served } = await servedSinceStart(vm);
      return readAt - (served.findLast(isProbe)?.at ?? 0);
    },
    (age) => age < seconds(3),
    { within: ours.nextProbe, every: 200 },
  );
}

/** Nothing listens on port 8000 of the VM, and its entry tells so. */
export async function notServing(lab: Lab): Promise<Change> {
  // before its first probe an entry is unhealthy for another reason
  const ran = await httpServerRuns(lab);
  if (ran) {
    await inMesh(lab);
    await betweenProbes(lab);
  }
  await stopHttpServer(lab);
  const stopped = change('the HTTP server on the VM stopped', async () =>
    ran ? serving(lab) : stopHttpServer(lab),
  );
  await orUndone(stopped, async () => healthBecomes(lab, 'False'));
  return stopped;
}
