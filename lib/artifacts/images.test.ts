import { expect, test } from 'vitest';
import { exists } from '#lib/base/files.ts';
import { fixture } from '#lib/base/paths.ts';
import { images, shellTree } from './images.ts';

const all = images('1.27.9', { istio: '/i', envoy: '/e', coredns: '/c', small: '/s' });

test('the images have the names that the documented manifests ask for', () => {
  expect(all.map(({ name }) => name)).toEqual([
    'docker.io/istio/pilot:1.27.9',
    'docker.io/istio/proxyv2:1.27.9',
    'registry.k8s.io/pause:3.10',
    'registry.k8s.io/coredns/coredns:v1.12.4',
    'docker.io/istio/examples-helloworld-v1:1.0',
    'docker.io/istio/examples-helloworld-v2:1.0',
    'docker.io/curlimages/curl:8.4.0',
  ]);
});

const built = all.filter((image) => 'recipe' in image);

test('each has a Containerfile', () => {
  const lacking = built.filter(({ recipe }) => !exists(fixture('images', recipe, 'Containerfile')));

  expect(built).toHaveLength(all.length);
  expect(lacking).toEqual([]);
});

test("Istio's own images stand instead of built ones when they were pulled", () => {
  const sources = { istio: '/i', envoy: '/e', coredns: '/c', small: '/s' };
  const [pilot, proxyv2, pause] = images('1.26.0', {
    ...sources,
    pulled: { pilot: '/p.tar', proxyv2: '/x.tar' },
  });

  expect([pilot, proxyv2]).toEqual([
    { name: 'docker.io/istio/pilot:1.26.0', archive: '/p.tar' },
    { name: 'docker.io/istio/proxyv2:1.26.0', archive: '/x.tar' },
  ]);
  expect(pause).toHaveProperty('recipe', 'pause');
});

test("istiod's image holds istiod and no programs of a distribution", () => {
  expect(built[0]?.tree).toEqual({ files: { '/usr/local/bin/pilot-discovery': '/i/pilot-discovery' } });
});

test('the sidecar image can call iptables by each name that Istio tries', () => {
  const { links = {} } = built[1]?.tree ?? {};

  expect(links['/usr/sbin/iptables-restore']).toBe('xtables-legacy-multi');
  expect(links['/usr/sbin/ip6tables-nft-save']).toBe('xtables-nft-multi');
  expect(links['/usr/sbin/iptables-legacy-save']).toBe('xtables-legacy-multi');
});

test("a program of the host stands instead of BusyBox's own", () => {
  const { links = {} } = shellTree('/usr/bin/nslookup');

  expect(links).toHaveProperty('/bin/sh', '/usr/bin/busybox');
  expect(links).not.toHaveProperty('/bin/nslookup');
});
