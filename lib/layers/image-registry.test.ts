import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporary } from '#lib/base/temporary.ts';
import { nameIn, servingImages, whatFor } from './image-registry.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const index = {
  schemaVersion: 2 as const,
  mediaType: 'the index',
  manifests: [{ mediaType: 'a manifest', digest, size: 1 }],
};
const blob = `blobs/sha256/${'a'.repeat(64)}`;

test('any name and tag is the index, a digest is what has it', () => {
  expect(whatFor('/v2/istio/proxyv2/manifests/1.27.9', index)).toEqual({ type: 'the index' });
  expect(whatFor(`/v2/istio/proxyv2/manifests/${digest}`, index)).toEqual({ path: blob, type: 'a manifest' });
  expect(whatFor(`/v2/istio/proxyv2/blobs/${digest}`, index)).toEqual({
    path: blob,
    type: 'application/octet-stream',
  });
});

test('the index is there by its digest as well, and a registry may be named behind a question mark', () => {
  const whole = `sha256:${createHash('sha256').update(JSON.stringify(index)).digest('hex')}`;
  expect(whatFor(`/v2/istio/proxyv2/manifests/${whole}?ns=docker.io`, index)).toEqual({ type: 'the index' });
});

test('the image that a path is about', () => {
  expect(nameIn('/v2/istio/proxyv2/manifests/1.27.9')).toBe('istio/proxyv2');
  expect(nameIn(`/v2/istio/pilot/blobs/${digest}?ns=docker.io`)).toBe('istio/pilot');
  expect(nameIn('/v2/')).toBe('');
});

test('nothing else is served', () => {
  for (const url of [
    '/',
    '/v2/x/tags/list',
    '/v2/x/blobs/../../index.json',
    '/v2/x/blobs/latest',
    `/v2/x/manifests/sha256:${'b'.repeat(64)}`,
  ])
    expect(whatFor(url, index)).toBeUndefined();
});

test('of several images each is served under its name, and no other', async () => {
  await using folder = await temporary();
  const layouts = {
    'istio/pilot': join(folder.path, 'pilot'),
    'istio/proxyv2': join(folder.path, 'proxyv2'),
  };
  for (const [name, layout] of Object.entries(layouts)) {
    await mkdir(join(layout, 'blobs/sha256'), { recursive: true });
    await writeFile(join(layout, 'index.json'), JSON.stringify(index));
    await writeFile(join(layout, blob), name);
  }
  await using registry = await servingImages(layouts);
  const get = async (path: string): Promise<string> => {
    const answer = await fetch(`http://${registry.address}${path}`);
    return `${String(answer.status)} ${await answer.text()}`;
  };

  expect(await get('/v2/')).toBe('200 {}');
  expect(await get('/v2/istio/pilot/manifests/1.27.9')).toBe(`200 ${JSON.stringify(index)}`);
  expect(await get(`/v2/istio/pilot/blobs/${digest}`)).toBe('200 istio/pilot');
  expect(await get(`/v2/istio/proxyv2/blobs/${digest}`)).toBe('200 istio/proxyv2');
  expect(await get('/v2/istio/other/manifests/1.27.9')).toBe('404 ');
});
