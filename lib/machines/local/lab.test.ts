import { expect, test } from 'vitest';
import { ownArchitecture } from '#lib/artifacts/architecture.ts';
import { settings } from '#lib/base/settings.ts';
import { localAddresses } from './addresses.ts';
import { built } from './lab.ts';

const madeOf = (env: NodeJS.ProcessEnv) => built(settings(env));

test('a lab is made of other things when its VM has another architecture, and says so by name', () => {
  const other = madeOf({ VM_ARCH: 'arm64' });

  expect(other.settings['vmArch']).toBe(ownArchitecture === 'arm64' ? undefined : 'arm64');
  expect(other.fingerprint === madeOf({}).fingerprint).toBe(ownArchitecture === 'arm64');
});

test('a lab is made of other things when its VM runs another Debian, and says so by name', () => {
  const other = madeOf({ VM_OS: 'debian-13' });

  expect(other.settings['vmOs']).toBe('debian-13');
  expect(other.fingerprint).not.toBe(madeOf({}).fingerprint);
  // a lab of before there was the setting has the default
  expect(madeOf({ VM_OS: 'debian-12' }).settings).not.toHaveProperty('vmOs');
});

test('the word for the architecture of this machine is that of no setting', () => {
  const own = madeOf({ VM_ARCH: ownArchitecture === 'arm64' ? 'arm64' : 'amd64' });

  expect(own).toEqual(madeOf({}));
  expect(own.settings).not.toHaveProperty('vmArch');
});

test('how a lab is kept and what it is called is not what it is made of', () => {
  expect(madeOf({ LAB_KEEP: 'always', LAB_NAME: 'other' })).toEqual(madeOf({}));
  expect(madeOf({ MEM_VM: '2G' }).fingerprint).not.toBe(madeOf({}).fingerprint);
});

test('instances that are backed by machines of this host are others than those that are not', () => {
  const of = (provider: string, addresses?: typeof localAddresses) =>
    built(settings({ LAB_PROVIDER: provider }), addresses);

  expect(of('multipass', localAddresses).settings).toMatchObject({
    provider: 'multipass',
    backedBy: 'local',
  });
  expect(of('multipass').fingerprint).not.toBe(of('multipass', localAddresses).fingerprint);
  expect(of('local', localAddresses)).toEqual(of('local'));
});
