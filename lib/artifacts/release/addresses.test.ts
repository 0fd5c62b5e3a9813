import { expect, test } from 'vitest';
import { istioArch } from '#lib/artifacts/istio-arch.ts';
import { istioArchive, istioPackage } from './addresses.ts';

const releases = { istio: 'https://istio.example', packages: ['https://packages.example'] };

test('istioctl is for the system of this host, and the package for the Linux of a VM', () => {
  const ofMac = istioArchive(releases, '1.27.9', istioArch('darwin', 'arm64'));
  expect(ofMac.url).toBe('https://istio.example/1.27.9/istio-1.27.9-osx-arm64.tar.gz');
  expect(istioArchive(releases, '1.27.9').file).toBe(`istio-1.27.9-${istioArch()}.tar.gz`);
  expect(istioPackage(releases, '1.27.9', 'arm64').file).toBe('istio-sidecar-arm64.deb');
});
