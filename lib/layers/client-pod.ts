import { ours } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import type { Resource } from '#lib/kube/client.ts';
import { applying, change, type Change } from '#lib/kube/manifest.ts';
import { podFacts, podsOf, type PodFacts } from '#lib/probes/pods.ts';
import { pod, type Place } from '#lib/probes/places.ts';
import type { Lab } from './lab.ts';
import { orUndone } from './passing.ts';

/** A pod that is there for a while. */
export interface PassingPod extends Change {
  readonly facts: PodFacts;
  /** Its first container. */
  readonly place: Place;
}

/**
 * The article's `kubectl run vm-response-test -n sample --image=curlimages/curl`: a pod whose proxy has no connection
 * to anything yet. It is ready when this returns.
 */
export async function newClient(lab: Lab, name = 'vm-response-test'): Promise<PassingPod> {
  const curl = lab
    .manifest('04-traffic/clients.yaml')
    .find(({ kind, metadata }) => kind === 'Pod' && metadata?.namespace === 'sample');
  return passingPod(lab, {
    ...curl,
    metadata: { name, namespace: 'sample', labels: { run: name } },
  });
}

/**
 * A pod of namespace sample without a sidecar: what a policy does to a connection of its own is seen bare, and nothing
 * keeps connections for the next request.
 */
export async function bareClient(lab: Lab, name: string): Promise<PassingPod> {
  const curl = lab
    .manifest('04-traffic/clients.yaml')
    .find(({ kind, metadata }) => kind === 'Pod' && metadata?.namespace === 'sample');
  const labels = { app: name, 'sidecar.istio.io/inject': 'false' };
  return passingPod(lab, { ...curl, metadata: { name, namespace: 'sample', labels } });
}

/**
 * A pod in the VM's namespace with the VM's label, which answers on port 5000. It is never ready, so it does not take
 * the VM's requests.
 */
export async function lookalike(lab: Lab): Promise<PassingPod> {
  const { vmApp: app, vmNamespace: namespace } = lab.settings;
  const made = await passingPod(
    lab,
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: `${app}-lookalike`, namespace, labels: { app } },
      spec: {
        terminationGracePeriodSeconds: 0,
        readinessGates: [{ conditionType: 'conformance/never' }],
        containers: [
          {
            name: 'helloworld',
            image: 'docker.io/istio/examples-helloworld-v1:1.0',
            imagePullPolicy: 'IfNotPresent',
          },
        ],
      },
    },
    'ContainersReady',
  );
  return made;
}

/** Waits until there is no pod of this name any more. */
export async function podGone({ kube }: Pick<Lab, 'kube'>, namespace: string, name: string): Promise<void> {
  await until(
    `pod ${namespace}/${name} is gone`,
    async () => (await podsOf(kube, namespace)).map((one) => one.name),
    (names) => !names.includes(name),
    { within: ours.podGone, every: 100 },
  );
}

async function passingPod(lab: Lab, document: Resource, condition = 'Ready'): Promise<PassingPod> {
  const { kube } = lab;
  const { name = '', namespace = '' } = document.metadata ?? {};
  await kube.remove({ apiVersion: 'v1', kind: 'Pod', namespace, name }, 0);
  await podGone(lab, namespace, name);
  const applied = await applying(kube, [document]);
  const removing = change(`pod ${namespace}/${name}`, async () => {
    await applied.undo();
    await podGone(lab, namespace, name);
  });
  return orUndone(removing, async () => {
    const ready = await until(
      `pod ${namespace}/${name} is ${condition}`,
      async () => kube.get({ apiVersion: 'v1', kind: 'Pod', namespace, name }),
      (seen) => conditionOf(seen, condition) === 'True',
      { within: ours.podReady, every: 100 },
    );
    return { ...removing, facts: podFacts(ready as never), place: pod(lab, namespace, name) };
  });
}

function conditionOf(seen: Resource | undefined, wanted: string): string | undefined {
  const conditions = (seen?.status?.['conditions'] ?? []) as { type: string; status: string }[];
  return conditions.find(({ type }) => type === wanted)?.status;
}
