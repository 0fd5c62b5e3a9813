import { ours } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import type { Kube, Ref } from '#lib/kube/client.ts';
import { marksOf, selectorOf } from './marks.ts';
import { inWords, meshParts } from './mesh-parts.ts';

/** Marks the parts of a mesh that are in no namespace as the lab's; those that were there before it stay as they are. */
export async function markMesh(kube: Kube, lab: string, before: readonly string[]): Promise<void> {
  for (const { ref } of await meshParts(kube)) {
    if (!before.includes(inWords(ref))) await kube.patch(ref, { metadata: { labels: marksOf(lab) } });
  }
}

/**
 * Removes all that a lab has made in a cluster, and waits until it is gone: first what acts on other objects, then the
 * namespaces, then the rest.
 *
 * @param before the parts of a mesh that were there before the lab; undefined when that is not known, and only what is
 *   marked is removed
 * @returns what was removed, in words
 */
export async function removeFromCluster(
  kube: Kube,
  lab: string,
  before: readonly string[] | undefined,
  note: (text: string) => void = () => undefined,
): Promise<string[]> {
  const selector = selectorOf(lab);
  const marks = Object.entries(marksOf(lab));
  const parts = (await meshParts(kube)).filter(({ ref, object }) => {
    const labels = object.metadata?.labels ?? {};
    if (marks.every(([name, value]) => labels[name] === value)) return true;
    // made by an installation that was cut off before it was marked
    return before !== undefined && !before.includes(inWords(ref));
  });
  const acting = parts.filter(({ ref }) => ref.kind.endsWith('WebhookConfiguration'));
  const rest = parts.filter((part) => !acting.includes(part));
  for (const { ref } of acting) await kube.remove(ref);

  const namespaces = (await kube.list('v1', 'Namespace', undefined, selector)).map(({ metadata }): Ref => ({
    apiVersion: 'v1',
    kind: 'Namespace',
    name: metadata?.name ?? '',
  }));
  for (const ref of namespaces) {
    note(inWords(ref));
    await kube.remove(ref);
  }
  await until(
    'the namespaces of the lab are gone',
    async () =>
      (await kube.list('v1', 'Namespace', undefined, selector)).map(({ metadata }) => metadata?.name ?? ''),
    (left) => {
      note(`waiting for ${left.join(', ')}`);
      return left.length === 0;
    },
    { within: ours.namespacesGone, every: 500 },
  );
  for (const { ref } of rest) {
    note(inWords(ref));
    await kube.remove(ref);
  }
  const gone = new Set(rest.map(({ ref }) => inWords(ref)));
  await until(
    'what the lab has in no namespace is gone',
    async () => (await meshParts(kube)).map(({ ref }) => inWords(ref)).filter((part) => gone.has(part)),
    (left) => left.length === 0,
    { within: ours.podGone, every: 300 },
  );
  return [...acting.map(({ ref }) => inWords(ref)), ...namespaces.map(inWords), ...gone];
}
