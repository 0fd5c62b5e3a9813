import type { Resource } from '#lib/kube/client.ts';
import { applying, change, type Change } from '#lib/kube/manifest.ts';
import { startControllers, stopControllers } from '#lib/distribution/start-controllers.ts';
import { bareClient, lookalike, newClient, type PassingPod } from './client-pod.ts';
import { meshKnows } from './health.ts';
import { ofPrograms, type Lab } from './lab.ts';
import { orUndone, sideBySide } from './passing.ts';

/** The article's deny-all, as it is or for other pods than the VM's lookalikes. */
export function denyAll(
  lab: Lab,
  over?: { namespace: string; labels: Readonly<Record<string, string>> },
): Resource[] {
  const documents = lab.manifest('05-policy/deny-all.yaml');
  if (!over) return documents;
  return documents.map((document) => ({
    ...document,
    metadata: { name: 'deny-all', namespace: over.namespace },
    spec: { ...document.spec, podSelector: { matchLabels: over.labels } },
  }));
}

/** Namespace sample under deny-egress-tovm, with a pod that was made after the policy. */
export interface Guarded extends Change {
  readonly client: PassingPod;
  /** Deletes the policy alone. */
  unguard(): Promise<void>;
}

/** Applies the article's deny-egress-tovm and then runs a new client pod, as the article does. */
export async function guardedFromVm(lab: Lab): Promise<Guarded> {
  const policy = await applying(lab.kube, lab.manifest('05-policy/deny-egress-tovm.yaml'));
  const client = await orUndone(policy, async () => newClient(lab));
  return {
    ...change(`${policy.name} and a new pod`, async () => {
      await policy.undo();
      await client.undo();
      await meshKnows(lab, true);
    }),
    client,
    unguard: async () => policy.undo(),
  };
}

/** Pods whose connections policies are tried on, and one that policies select where they cannot select the VM. */
export interface PolicySubjects extends Change {
  /** Two pods of sample without a sidecar, labelled with their names. */
  readonly chosen: PassingPod;
  readonly neighbour: PassingPod;
  /** A pod in the VM's namespace with the VM's label. */
  readonly twin: PassingPod;
}

export async function policySubjects(lab: Lab): Promise<PolicySubjects> {
  const pods = await sideBySide(bareClient(lab, 'chosen'), bareClient(lab, 'neighbour'), lookalike(lab));
  const [chosen, neighbour, twin] = pods.made;
  return { ...change(pods.name, async () => pods.undo()), chosen, neighbour, twin };
}

/** A policy of the VM's namespace, under a name of its own. */
export const vmSidePolicy = ({ settings }: Lab, name: string, spec: object): Resource => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name, namespace: settings.vmNamespace },
  spec: { podSelector: {}, ...spec },
});

/** Stops the policy engine; the rules that it made go with it. */
export async function withoutPolicyEngine({
  local,
  nodes,
  distribution,
}: Pick<Lab, 'local' | 'nodes' | 'distribution'>): Promise<Change> {
  ofPrograms(distribution, 'its policy engine is stopped');
  const names = nodes.map(({ name }) => name);
  await stopControllers(local);
  await startControllers(local, names, 'service-lb');
  return change('no policy engine', async () => {
    await stopControllers(local);
    await startControllers(local, names);
  });
}
