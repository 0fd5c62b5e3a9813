import { ours } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import type { Ref, Resource } from '#lib/kube/client.ts';
import { change, type Change } from '#lib/kube/manifest.ts';
import { podsOf } from '#lib/probes/pods.ts';
import type { Lab } from './lab.ts';

/** Makes changes in order, as one: the undo undoes them in reverse, and so does a change that cannot be made. */
export async function together(...makers: readonly (() => Promise<Change>)[]): Promise<Change> {
  const made: Change[] = [];
  const undo = async (): Promise<void> => {
    for (const one of made.splice(0).toReversed()) await one.undo();
  };
  try {
    for (const make of makers) made.push(await make());
  } catch (error) {
    await undo();
    throw error;
  }
  return change(made.map(({ name }) => name).join(', '), undo);
}

/** Goes on after a change; when that fails, the change is undone. Returns what it came to. */
export async function orUndone<T>(made: Change, goOn: () => Promise<T>): Promise<T> {
  try {
    return await goOn();
  } catch (error) {
    await made.undo();
    throw error;
  }
}

/**
 * A change that is in force when this returns, and no longer when it is undone.
 *
 * @param seen waits until it is in force (true), or no longer (false)
 */
export async function inForce(made: Change, seen: (wanted: boolean) => Promise<unknown>): Promise<Change> {
  const waited = change(made.name, async () => {
    await made.undo();
    await seen(false);
  });
  await orUndone(waited, async () => seen(true));
  return waited;
}

/** Makes changes at the same time; the undo undoes all of them, and so does one that cannot be made. */
export async function sideBySide<C extends readonly Change[]>(
  ...making: { [K in keyof C]: Promise<C[K]> }
): Promise<Change & { made: C }> {
  const ended = await Promise.allSettled(making as readonly Promise<Change>[]);
  const made = ended.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
  const undo = async (): Promise<void> => {
    await Promise.all(made.map(async (one) => one.undo()));
  };
  const failed = ended.find((one) => one.status === 'rejected');
  if (failed) {
    await undo();
    throw failed.reason;
  }
  return { ...change(made.map(({ name }) => name).join(', '), undo), made: made as unknown as C };
}

/**
 * A namespace that goes with all that is in it. The undo does not wait until Kubernetes has swept it, which takes
 * seconds in which nothing of it runs; the next of this name does.
 */
export async function passingNamespace(
  { kube }: Pick<Lab, 'kube'>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<Change> {
  const ref = { apiVersion: 'v1', kind: 'Namespace', name };
  const remove = async (): Promise<void> => {
    // grace would only keep running what nobody looks at any more
    const pods = await podsOf(kube, name);
    await Promise.all(
      pods.map(async (pod) =>
        kube.remove({ apiVersion: 'v1', kind: 'Pod', namespace: name, name: pod.name }, 0),
      ),
    );
    await kube.remove(ref);
  };
  if (await kube.get(ref)) {
    await remove();
    await until(
      `namespace ${name} of before is gone`,
      async () => ((await kube.get(ref)) ? 'still there' : 'gone'),
      (seen) => seen === 'gone',
      { within: ours.podGone, every: 200 },
    );
  }
  await kube.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
  return change(`namespace ${name}`, remove);
}

/** Documents as they would be in another namespace. */
export const movedTo = (namespace: string, documents: readonly Resource[]): Resource[] =>
  documents.map((document) => ({
    ...document,
    metadata: Object.assign({}, document.metadata, { namespace }),
  }));

/** Waits until a pod is ready. */
export async function podReady({ kube }: Pick<Lab, 'kube'>, namespace: string, name: string): Promise<void> {
  await until(
    `pod ${namespace}/${name} is ready`,
    async () => (await podsOf(kube, namespace)).find((pod) => pod.name === name)?.ready ?? 'no such pod',
    (ready) => ready === true,
    { within: ours.podReady, every: 100 },
  );
}

/** Takes an object away; the undo makes it again, as it was. */
export async function without({ kube }: Pick<Lab, 'kube'>, ref: Ref): Promise<Change> {
  const found = await kube.get(ref);
  const title = `${ref.kind} ${ref.name}`;
  if (!found) throw new Error(`There is no ${title} to take away.`);
  const { status: _status, metadata, ...rest } = found;
  const { name, namespace, labels, annotations } = metadata ?? {};
  await kube.remove(ref);
  return change(`no ${title}`, async () => {
    const kept = Object.entries({ name, namespace, labels, annotations }).filter(
      ([, value]) => value !== undefined,
    );
    await kube.apply({ ...rest, metadata: Object.fromEntries(kept) });
  });
}

/** Patches an object, under a name that says what it comes to; the undo applies the other patch. */
export async function patched(
  { kube }: Pick<Lab, 'kube'>,
  name: string,
  { ref, there, back }: { ref: Ref; there: object; back: object },
): Promise<Change> {
  await kube.patch(ref, there);
  return change(name, async () => kube.patch(ref, back));
}
