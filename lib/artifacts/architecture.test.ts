import { expect, test } from 'vitest';
import { RefusedError } from '#lib/base/errors.ts';
import { settings } from '#lib/base/settings.ts';
import { vmArchitecture } from './architecture.ts';

const asked = (word: string) => settings({ VM_ARCH: word });

test.each([
  ['', 'x64', 'x64'],
  ['auto', 'x64', 'x64'],
  ['amd64', 'x64', 'x64'],
  ['arm64', 'x64', 'arm64'],
  ['auto', 'arm64', 'arm64'],
  ['arm64', 'arm64', 'arm64'],
] as const)('VM_ARCH=%s on a machine of %s gives a VM of %s', (word, own, vm) => {
  expect(vmArchitecture(asked(word), own)).toBe(vm);
});

test('a VM of amd64 on a machine of arm64 is refused, as nothing prepares its sidecar', () => {
  const refused = () => vmArchitecture(asked('amd64'), 'arm64');

  expect(refused).toThrow(RefusedError);
  expect(refused).toThrow(/^VM_ARCH=amd64 gives a VM of another architecture than this machine's \(arm64\)/);
});
