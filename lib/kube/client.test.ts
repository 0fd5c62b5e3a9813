import { expect, test } from 'vitest';
import { asModelled } from './client.ts';

const policy = (spec: Record<string, unknown>) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'one' },
  spec,
});

test('the peers of an ingress rule have the name that the models of the client send as from', () => {
  const peers = [{ podSelector: { matchLabels: { app: 'one' } } }];
  const ports = [{ port: 80 }];
  const { spec } = asModelled(policy({ podSelector: {}, ingress: [{ from: peers, ports }, { ports }] }));
  expect(spec).toEqual({ podSelector: {}, ingress: [{ _from: peers, ports }, { ports }] });
});

test('other documents are sent as they are', () => {
  const egress = policy({ podSelector: {}, egress: [{ to: [] }] });
  expect(asModelled(egress)).toBe(egress);
  const other = { ...policy({ ingress: [{ from: [] }] }), kind: 'Other' };
  expect(asModelled(other)).toBe(other);
});
