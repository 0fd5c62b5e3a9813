import { ours } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import { change, type Change } from '#lib/kube/manifest.ts';
import type { Lab } from './lab.ts';

/** A deployment with another number of replicas; the undo waits until all that it had are there again. */
export async function scaled(
  { kube }: Pick<Lab, 'kube'>,
  namespace: string,
  name: string,
  replicas: number,
): Promise<Change> {
  const ref = { apiVersion: 'apps/v1', kind: 'Deployment', namespace, name };
  const before = Number((await kube.get(ref))?.spec?.['replicas']);
  const scale = async (wanted: number): Promise<void> => {
    await kube.patch(ref, { spec: { replicas: wanted } });
    await until(
      `deployment ${name} has ${String(wanted)} replicas`,
      async () => {
        const { replicas: there = 0, readyReplicas: ready = 0 } = (await kube.get(ref))?.status ?? {};
        return { there: Number(there), ready: Number(ready) };
      },
      ({ there, ready }) => there === wanted && ready === wanted,
      { within: ours.podReady, every: 200 },
    );
  };
  await scale(replicas);
  return change(`deployment ${name} scaled to ${String(replicas)}`, async () => scale(before));
}
