import { minutes, seconds, until } from '#lib/base/until.ts';
import type { Resource } from '#lib/kube/client.ts';
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

/** A namespace that goes with all that is in it. */
export async function passingNamespace(
  { kube }: Pick<Lab, 'kube'>,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<Change> {
  const ref = { apiVersion: 'v1', kind: 'Namespace', name };
  const gone = async (): Promise<void> => {
    await until(
      `namespace ${name} is gone`,
      async () => (await kube.get(ref))?.status ?? 'gone',
      (seen) => seen === 'gone',
      {
        within: minutes(1),
        every: 200,
      },
    );
  };
  if ((await kube.get(ref))?.metadata?.deletionTimestamp) await gone();
  await kube.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
  return change(`namespace ${name}`, async () => {
    // grace would only make us wait for what nobody looks at any more
    for (const pod of await podsOf(kube, name))
      await kube.remove({ apiVersion: 'v1', kind: 'Pod', namespace: name, name: pod.name }, 0);
    await kube.remove(ref);
    await gone();
  });
}

/** Documents as they would be in another namespace. */
export const movedTo = (namespace: string, documents: readonly Resource[]): Resource[] =>
  documents.map((document) => ({
    ...document,
    metadata: Object.assign({}, document.metadata, { namespace }),
  }));

/** Waits until a namespace has pods and all of them are ready. */
export async function allReady({ kube }: Pick<Lab, 'kube'>, namespace: string): Promise<void> {
  await until(
    `the pods of namespace ${namespace} are ready`,
    async () => (await podsOf(kube, namespace)).map(({ name, ready }) => ({ name, ready })),
    (pods) => pods.length > 0 && pods.every(({ ready }) => ready),
    { within: minutes(1), every: 100 },
  );
}

/** A web server on the VM that answers on a port with nothing of its own. */
export async function servingOnVm({ vm }: Pick<Lab, 'vm'>, port: number): Promise<Change> {
  const unit = `passing-${String(port)}`;
  const python = ['python3', '-m', 'http.server', String(port), '--directory', '/var/empty'];
  await vm.attempt(['systemctl', 'stop', unit]);
  await vm.run(['mkdir', '-p', '/var/empty']);
  await vm.run(['systemd-run', '--quiet', '--collect', `--unit=${unit}`, ...python]);
  await until(
    `the VM listens on port ${String(port)}`,
    async () => (await vm.run(['ss', '-Hltn', `sport = :${String(port)}`])).stdout,
    (listening) => listening !== '',
    { within: seconds(30), every: 200 },
  );
  return change(`a web server on port ${String(port)} of the VM`, async () => {
    await vm.run(['systemctl', 'stop', unit]);
  });
}
