import { ours } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import { change, refOf, type Change } from '#lib/kube/manifest.ts';
import { podsOf } from '#lib/probes/pods.ts';
import type { Lab } from './lab.ts';

/** Namespace outside labelled like sample, and its pod made anew: it has a sidecar, until the undo. */
export async function outsideInjected(lab: Lab): Promise<Change> {
  const label = async (revision: string | null): Promise<void> => {
    const ref = { apiVersion: 'v1', kind: 'Namespace', name: 'outside' };
    await lab.kube.patch(ref, { metadata: { labels: { 'istio.io/rev': revision } } });
    await podAnew(lab);
  };
  await label(lab.settings.istioRevision);
  return change('namespace outside injected', async () => label(null));
}

async function podAnew({ kube, manifest }: Lab): Promise<void> {
  const pod = manifest('04-traffic/clients.yaml').find(
    ({ kind, metadata }) => kind === 'Pod' && metadata?.namespace === 'outside',
  );
  if (!pod) throw new Error('fixtures/04-traffic/clients.yaml has no pod in namespace outside.');
  const [before] = await podsOf(kube, 'outside', 'app=curl');
  await kube.remove(refOf(pod), 0);
  await until(
    'the pod of namespace outside is gone',
    async () => (await podsOf(kube, 'outside')).map(({ uid }) => uid),
    (uids) => !uids.includes(before?.uid ?? ''),
    { within: ours.podGone },
  );
  await kube.apply(pod);
  await until(
    'the new pod of namespace outside is ready',
    async () => (await podsOf(kube, 'outside')).map(({ ready }) => ready),
    (ready) => ready.length === 1 && ready.every(Boolean),
    { within: ours.podReady, every: 200 },
  );
}
