import { expect, test } from 'vitest';
import type { Resource } from '#lib/kube/client.ts';
import { madeUpKube } from '#lib/kube/made-up.ts';
import { existingSettings } from '#lib/machines/existing/settings.ts';
import type { ExistingProvider } from '#lib/machines/existing/provider.ts';
import { giveBack } from './give-back.ts';
import { marksOf } from './marks.ts';
import { markMesh } from './remove.ts';
import type { ExistingRecord } from './record.ts';

const named = (kind: string, name: string, labels: Record<string, string> = {}): Resource => ({
  kind,
  apiVersion: 'v1',
  metadata: { name, labels },
});
const inside = (kind: string, namespace: string): Resource => ({
  kind,
  apiVersion: 'v1',
  metadata: { name: 'one', namespace },
});
/** What is in the cluster whatever we do. */
const theirs = [
  named('Namespace', 'default'),
  named('Namespace', 'shop', { 'app.kubernetes.io/managed-by': 'helm' }),
  inside('Pod', 'shop'),
  named('ClusterRole', 'istio-viewer-of-the-shop'),
  named('ClusterRole', 'view'),
  named('CustomResourceDefinition', 'shops.example.com'),
];
const before = ['ClusterRole istio-viewer-of-the-shop'];
const made = [
  named('Namespace', 'istio-system', marksOf('mine')),
  named('Namespace', 'sample', marksOf('mine')),
  inside('Pod', 'sample'),
];
const mesh = [
  named('ClusterRole', 'istiod-clusterrole-1-27-9-istio-system'),
  named('ClusterRoleBinding', 'istiod-clusterrole-1-27-9-istio-system'),
  named('CustomResourceDefinition', 'gateways.networking.istio.io'),
  named('MutatingWebhookConfiguration', 'istio-sidecar-injector-1-27-9'),
];
const record = (mesh: 'refuse' | 'use' = 'refuse'): ExistingRecord => ({
  lab: 'mine',
  vmName: 'vm',
  architecture: 'x64' as const,
  before,
  settings: existingSettings({ EXISTING_VM: 'me@vm', EXISTING_MESH: mesh }),
});

/** A provider that tells what was asked of it. */
function borrower(failing?: string): { provider: ExistingProvider; asked: string[] } {
  const asked: string[] = [];
  const provider: Pick<ExistingProvider, 'remove' | 'disconnect'> = {
    remove: async (name) => {
      asked.push(`remove ${name}`);
      await (failing === undefined ? Promise.resolve() : Promise.reject(new Error(failing)));
    },
    disconnect: async () => {
      asked.push('disconnect');
      return Promise.resolve();
    },
  };
  return { provider: provider as ExistingProvider, asked };
}

test('all that the lab made goes, webhooks first, and nothing else', async () => {
  const kube = madeUpKube([...theirs, ...made, ...mesh]);
  const was = madeUpKube(theirs).names();
  await markMesh(kube, 'mine', before);
  const { provider, asked } = borrower();
  kube.changes.length = 0;
  await giveBack(record(), { kube, provider });
  expect(kube.names()).toEqual(was);
  expect(kube.changes).toEqual([
    'remove MutatingWebhookConfiguration istio-sidecar-injector-1-27-9',
    'remove Namespace istio-system',
    'remove Namespace sample',
    'remove ClusterRoleBinding istiod-clusterrole-1-27-9-istio-system',
    'remove ClusterRole istiod-clusterrole-1-27-9-istio-system',
    'remove CustomResourceDefinition gateways.networking.istio.io',
  ]);
  expect(asked).toEqual(['remove vm', 'disconnect']);
  await giveBack(record(), { kube, provider });
  expect(kube.names()).toEqual(was);
});

test('an installation that was cut off before it was marked goes as well', async () => {
  const kube = madeUpKube([...theirs, ...made, ...mesh]);
  await giveBack(record(), { kube, provider: borrower().provider });
  expect(kube.names()).toEqual(madeUpKube(theirs).names());
});

test('a mesh that was used stays, with what came to it meanwhile', async () => {
  const sample = named('Namespace', 'sample', marksOf('mine'));
  const system = named('Namespace', 'istio-system');
  const kube = madeUpKube([...theirs, ...mesh, system, sample, inside('Pod', 'sample')]);
  await giveBack(record('use'), { kube, provider: borrower().provider });
  expect(kube.changes).toEqual(['remove Namespace sample']);
});

test('the namespaces of another lab are not this one’s', async () => {
  const kube = madeUpKube([named('Namespace', 'sample', marksOf('other'))]);
  await giveBack(record(), { kube, provider: borrower().provider });
  expect(kube.changes).toEqual([]);
});

test('each is given back whatever comes of the other, and what is left is told', async () => {
  const kube = madeUpKube([...theirs, ...made]);
  const { provider, asked } = borrower('nobody answers there');
  await expect(giveBack(record(), { kube, provider })).rejects.toThrow(
    'Not all could be given back. Of the VM vm: nobody answers there',
  );
  expect(asked).toEqual(['remove vm', 'disconnect']);
  expect(kube.names()).toEqual(madeUpKube(theirs).names());

  const deaf = { ...kube, list: async () => Promise.reject(new Error('no API server')) };
  await expect(giveBack(record(), { kube: deaf, provider: borrower().provider })).rejects.toThrow(
    'Of the cluster: no API server',
  );
});
