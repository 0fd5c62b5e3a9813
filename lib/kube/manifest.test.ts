import { describe, expect, test } from 'vitest';
import { settings } from '#lib/base/settings.ts';
import type { Kube, Resource } from './client.ts';
import { applying, change, manifest, refOf } from './manifest.ts';

describe('a manifest', () => {
  test('has the names of run.env filled in', () => {
    const [deny] = manifest('05-policy/deny-all.yaml', { VM_NAMESPACE: settings({}).vmNamespace });
    expect(deny).toMatchObject({ kind: 'NetworkPolicy', metadata: { name: 'deny-all', namespace: 'vmns' } });
  });

  test('that wants a value it was not given is named', () => {
    expect(() => manifest('05-policy/deny-all.yaml')).toThrow(
      'fixtures/05-policy/deny-all.yaml wants ${VM_NAMESPACE}',
    );
  });
});

test('an object without a name is refused', () => {
  expect(() => refOf({ apiVersion: 'v1', kind: 'Pod' })).toThrow('Not an object with a name');
});

test('a change is undone once', async () => {
  let undone = 0;
  {
    await using strict = change('strict', async () => {
      undone += 1;
      return Promise.resolve();
    });
    await strict.undo();
  }
  expect(undone).toBe(1);
});

test('what was applied is deleted in reverse', async () => {
  const done: string[] = [];
  const kube = {
    apply: async (document: Resource) => Promise.resolve(done.push(`+${document.metadata?.name ?? ''}`)),
    remove: async ({ name }: { name: string }) => Promise.resolve(done.push(`-${name}`)),
  } as unknown as Kube;
  const named = (name: string): Resource => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } });
  const made = await applying(kube, [named('a'), named('b')]);
  await made.undo();
  expect(done).toEqual(['+a', '+b', '-b', '-a']);
});
