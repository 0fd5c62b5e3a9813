import { expect, test } from 'vitest';
import { LackingError } from '#lib/base/errors.ts';
import type { Resource } from './client.ts';
import { fenced } from './fence.ts';
import { madeUpKube } from './made-up.ts';

const marks = { 'app.kubernetes.io/managed-by': 'us', lab: 'mine' };
const namespace = (name: string, labels: Record<string, string> = {}): Resource => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name, labels },
});
const pod = (where: string): Resource => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'curl', namespace: where },
});
const role = (labels: Record<string, string>): Resource => ({
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'reader', labels },
});
const ref = { apiVersion: 'v1', kind: 'Pod', namespace: 'theirs', name: 'curl' };

function fence(...objects: Resource[]) {
  const kube = madeUpKube([
    namespace('theirs'),
    pod('theirs'),
    namespace('other', { lab: 'mine' }),
    ...objects,
  ]);
  const outside = (what: string): never => {
    throw new LackingError('own-cluster', what);
  };
  return { kube, ours: fenced(kube, { marks, outside }) };
}

test('a new namespace becomes ours, and what is in it can be made, changed and removed', async () => {
  const { kube, ours } = fence();
  await ours.apply(namespace('sample', { 'istio.io/rev': '1' }));
  expect((await kube.get({ apiVersion: 'v1', kind: 'Namespace', name: 'sample' }))?.metadata?.labels).toEqual(
    {
      ...marks,
      'istio.io/rev': '1',
    },
  );
  await ours.apply(pod('sample'));
  await ours.patch({ ...ref, namespace: 'sample' }, { metadata: { labels: { app: 'curl' } } });
  await ours.remove({ ...ref, namespace: 'sample' });
  await ours.apply(namespace('sample'));
  await ours.remove({ apiVersion: 'v1', kind: 'Namespace', name: 'sample' });
  expect(kube.names()).toEqual(['Namespace other', 'Namespace theirs', 'Pod theirs/curl']);
});

test('nothing else is touched, and what was asked for is named', async () => {
  const { kube, ours } = fence(role({}));
  const cluster = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', name: 'reader' };
  const tries: [string, () => Promise<unknown>][] = [
    ['Namespace theirs', async () => ours.apply(namespace('theirs'))],
    // one label alone does not make it ours
    ['Namespace other', async () => ours.remove({ apiVersion: 'v1', kind: 'Namespace', name: 'other' })],
    ['Pod theirs/curl', async () => ours.apply(pod('theirs'))],
    ['Pod theirs/curl', async () => ours.patch(ref, {})],
    ['Pod theirs/curl', async () => ours.remove(ref)],
    ['Pod nowhere/curl', async () => ours.apply(pod('nowhere'))],
    ['ClusterRole reader', async () => ours.patch(cluster, {})],
    ['ClusterRole reader', async () => ours.remove(cluster)],
    ['ClusterRole writer', async () => ours.apply({ ...role({}), metadata: { name: 'writer' } })],
  ];
  for (const [what, work] of tries)
    await expect(work()).rejects.toEqual(new LackingError('own-cluster', what));
  expect(kube.changes).toEqual([]);
});

test('what is in no namespace can be changed when it is marked; what is not there need not be removed', async () => {
  const { kube, ours } = fence(role(marks));
  await ours.patch({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', name: 'reader' }, {});
  await ours.remove({ ...ref, name: 'gone' });
  expect(kube.changes).toEqual(['patch ClusterRole reader']);
});
