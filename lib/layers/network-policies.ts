import type { Resource } from '#lib/kube/client.ts';
import { applying, change, type Change } from '#lib/kube/manifest.ts';
import { startControllers, stopControllers } from '#lib/distribution/start-controllers.ts';
import { newClient, type PassingPod } from './client-pod.ts';
import { meshKnows } from './health.ts';
import type { Lab } from './lab.ts';

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
  let client: PassingPod;
  try {
    client = await newClient(lab);
  } catch (error) {
    await policy.undo();
    throw error;
  }
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

/** Stops the policy engine; the rules that it made go with it. */
export async function withoutPolicyEngine({ local, nodes }: Pick<Lab, 'local' | 'nodes'>): Promise<Change> {
  const names = nodes.map(({ name }) => name);
  await stopControllers(local);
  await startControllers(local, names, 'service-lb');
  return change('no policy engine', async () => {
    await stopControllers(local);
    await startControllers(local, names);
  });
}
