import { ours } from '#lib/base/deadlines.ts';
import { besideMachines, endedIn, programOf } from '#lib/base/ended.ts';
import { messageOf } from '#lib/base/errors.ts';
import { say } from '#lib/base/progress.ts';
import { until } from '#lib/base/until.ts';
import { programsOn } from '#lib/distribution/distribution.ts';
import { controllers } from '#lib/distribution/start-controllers.ts';
import { programsOf } from '#lib/layers/cluster-programs.ts';
import { bothDirections } from '#lib/layers/directions.ts';
import type { Lab } from '#lib/layers/lab.ts';
import { podsOf } from '#lib/probes/pods.ts';
import { wrongAfterDeath } from './judge.ts';
import { kill, pidOf, type Victim } from './kill.ts';
import { vitest } from './vitest.ts';

/** What came of killing one. */
export interface Death {
  name: string;
  while: 'the lab idles' | 'claims run';
  /** What is wrong, a sentence each. */
  wrong: string[];
  /** How long it took until all was well again, in milliseconds. */
  healedMs?: number;
  /** The verdicts of the claims that ran meanwhile. */
  totals?: object;
  /** The claims that were looked at when it died. */
  disturbed?: string[];
  silentMs?: number;
}

/** Claims that take each program one way or another: API, DNS, endpoints, pods that come and go, both directions. */
const looked = [
  ...['cluster.nodes-ready', 'istio.revisioned-service', 'istio.ewg-reaches-istiod', 'istio.ewg-ports'],
  ...['traffic.mesh-to-vm-direct', 'traffic.vm-to-mesh.hello', 'traffic.vm-to-mesh.both-versions'],
  ...['traffic.vm-to-mesh-via-ewg', 'policy.netpol-egress-blocks-vm'],
];

/** Every program of every node, and the lab's controllers. */
export const victims = ({ distribution, nodes, local }: Lab): Victim[] => [
  ...nodes.flatMap((node) =>
    programsOn(distribution, node).map(({ name }) => ({ node: node.name, program: name })),
  ),
  ...(local.addresses ? [{ node: besideMachines, program: controllers }] : []),
];

/** Kills a program of a lab that idles, and sees the lab heal: the program, the nodes, a new pod, and the traffic. */
export async function whileIdle(lab: Lab, victim: Victim): Promise<Death> {
  const name = programOf(victim);
  const death: Death = { name, while: 'the lab idles', wrong: [] };
  const before = await pidOf(lab, victim);
  const at = Date.now();
  await kill(lab, victim);
  try {
    await until(
      `${name} runs again`,
      async () => pidOf(lab, victim),
      (pid) => pid !== before,
      { within: ours.chaosBack },
    );
    if (!endedIn(lab.dir, at).some((one) => programOf(one) === name && one.signal === 9))
      death.wrong.push('its end was not written down');
    await programsOf(lab)?.healed();
    await anotherPod(lab);
    await until(
      'requests go through in both directions',
      async () => bothDirections(lab, 5),
      ({ vmToMesh, meshToVm }) => vmToMesh['200'] === 5 && meshToVm['200'] === 5,
      { within: ours.chaosBack, every: 500 },
    );
  } catch (error) {
    death.wrong.push(messageOf(error));
  }
  death.healedMs = Date.now() - at;
  const others = endedIn(lab.dir, at)
    .map(programOf)
    .filter((one) => one !== name);
  death.wrong.push(...others.map((one) => `${one} ended too`));
  return death;
}

/** A pod of a Deployment is replaced: that takes API server, etcd, controllers, scheduler, kubelet and containerd. */
async function anotherPod({ kube }: Lab): Promise<void> {
  const labels = 'app=helloworld,version=v1';
  const pods = async () => podsOf(kube, 'sample', labels);
  const before = (await pods()).map(({ uid }) => uid);
  for (const { name } of await pods())
    await kube.remove({ apiVersion: 'v1', kind: 'Pod', namespace: 'sample', name }, 0);
  await until(
    'a pod of helloworld-v1 that was removed is replaced by one that is ready',
    pods,
    (now) => now.some(({ uid, ready }) => ready && !before.includes(uid)),
    { within: ours.chaosPodBack, every: 200 },
  );
}

/** When it is killed: between two suites, and when the next claim begins at once. */
const moments = ['cluster.nodes-ready', 'traffic.vm-to-mesh.hello'];

/** Kills a program twice while some claims are looked at: no verdict may be wrong, and the report must tell of it. */
export async function whileClaimsRun(lab: Lab, victim: Victim): Promise<Death> {
  const name = programOf(victim);
  const killing: Promise<void>[] = [];
  const ran = await vitest(looked.join('|'), ours.chaosNextRun, (id) => {
    if (!moments.includes(id)) return;
    say(`${name}: ${id} has ended, so now`);
    killing.push(kill(lab, victim));
  });
  const failed = (await Promise.allSettled(killing)).flatMap((one) =>
    one.status === 'rejected' ? [`it could not be killed: ${messageOf(one.reason)}`] : [],
  );
  const { totals, restarts = [] } = ran.report ?? {};
  return {
    ...{ name, while: 'claims run', silentMs: Math.round(ran.silentMs) },
    wrong: [
      ...failed,
      ...(killing.length === moments.length ? [] : [`it was killed ${String(killing.length)} times`]),
      ...wrongAfterDeath(ran, name),
    ],
    ...(totals && { totals }),
    disturbed: [
      ...new Set(restarts.filter((one) => programOf(one) === name).flatMap(({ claims }) => claims)),
    ],
  };
}
