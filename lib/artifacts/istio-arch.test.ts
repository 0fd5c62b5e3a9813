import { expect, test } from 'vitest';
import { RefusedError } from '#lib/base/errors.ts';
import { istioArch } from './istio-arch.ts';

test.each([
  ['darwin', 'arm64', 'osx-arm64'],
  ['darwin', 'x64', 'osx-amd64'],
  ['linux', 'arm', 'linux-armv7'],
  ['linux', 'arm64', 'linux-arm64'],
  ['linux', 'x64', 'linux-amd64'],
])('%s on %s is %s', (platform, arch, name) => {
  expect(istioArch(platform, arch)).toBe(name);
});

test('a system that Istio is not released for is refused by name', () => {
  expect(() => istioArch('linux', 'riscv64')).toThrow(RefusedError);
  expect(() => istioArch('linux', 'riscv64')).toThrow(
    'Istio has no istioctl for linux-riscv64; it has one for osx-arm64, osx-amd64, linux-armv7, linux-arm64, linux-amd64.',
  );
});
