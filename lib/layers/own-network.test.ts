import { expect, test } from 'vitest';
import { RefusedError } from '#lib/base/errors.ts';
import { settings } from '#lib/base/settings.ts';
import { ownNetwork, refuseUpstream, vmMadeHere } from './own-network.ts';

const of = (provider: string, env: NodeJS.ProcessEnv = {}) =>
  ownNetwork(settings({ LAB_PROVIDER: provider }), env);

test('machines of this host have a network of their own, whether they are the lab or back its instances', () => {
  const [own, backing] = [of('local'), of('multipass', { MULTIPASS_STAND_IN: '/any.sock' })];
  expect(of('auto')).toEqual(own);
  expect(own?.api).toBe(`https://${own?.nodes['k3s-master'] ?? ''}:6443`);
  const addresses = [own, backing].flatMap((one) => [
    ...Object.values(one?.nodes ?? {}),
    one?.vm,
    one?.bystander,
  ]);
  // nothing that holds for the one can be taken for the other
  expect(new Set(addresses).size).toBe(10);
});

test('instances of multipass itself are on a network of this host', () => {
  expect(of('multipass')).toBeUndefined();
});

test('a VM is made here unless it is an instance, or was there before', () => {
  const made = (provider: string) =>
    vmMadeHere(
      settings({ LAB_PROVIDER: provider, VM_ARCH: 'arm64', EXISTING_VM: 'a', EXISTING_KUBECONFIG: 'b' }),
    );
  expect(['local', 'multipass', 'existing'].map(made)).toEqual(['arm64', undefined, undefined]);
});

test('a Kubernetes that needs namespaces is refused where there are none, with the reason why it would be that one', () => {
  expect(() => {
    refuseUpstream({ is: 'upstream', why: 'LAB_DISTRIBUTION=upstream' });
  }).toThrow(RefusedError);
  expect(() => {
    refuseUpstream({ is: 'upstream', why: 'k3s v1.27.7+k3s1 cannot be had: no way' });
  }).toThrow(/takes k3s, .*\(k3s v1\.27\.7\+k3s1 cannot be had: no way\)/);
  expect(() => {
    refuseUpstream({ is: 'k3s', why: 'it can be had' });
  }).not.toThrow();
});
