import { expect, test } from 'vitest';
import { settings } from '#lib/base/settings.ts';
import { labOf, type Programs } from './lab.ts';
import { ensure } from './layers.ts';
import { machines } from './machines.ts';

const programs = {
  ...{ kubernetes: '/none', istio: '/none', sidecarPackage: 'x.deb', istioProxyBuild: false },
  ...{ vm: { sidecarPackage: 'x.deb' }, forNodes: { is: 'upstream', imageStore: '/none' } },
} as Programs;

const local = { name: 'mine', dir: '/none', init: { pid: 0, started: '' } };
const lab = labOf(settings({ VM_OS: 'none' }), local, programs);

test('a lab without a VM has its nodes, and who reaches for the VM learns the feature', () => {
  expect(lab.nodes.map(({ name }) => name)).toEqual(['k3s-master', 'k3s-worker-1', 'k3s-worker-2']);
  expect(() => lab.vm).toThrow(expect.objectContaining({ feature: 'vm' }) as Error);
  for (const feature of ['vm', 'own-vm', 'spare-vm', 'amd64-vm'])
    expect(lab.features.has(feature)).toBe(false);
  expect(lab.features.has('own-cluster')).toBe(true);
});

test('its machines are looked at without one', async () => {
  await expect(machines.check(lab)).rejects.toThrow('k3s-master, k3s-worker-1, k3s-worker-2 do not run');
});

test('a layer that takes a VM is not brought up, nor is anything that it stands on', async () => {
  await expect(ensure('apps', lab)).rejects.toMatchObject({ feature: 'vm' });
});
