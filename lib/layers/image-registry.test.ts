import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { whatFor } from './image-registry.ts';

const digest = `sha256:${'a'.repeat(64)}`;
const index = {
  schemaVersion: 2 as const,
  mediaType: 'the index',
  manifests: [{ mediaType: 'a manifest', digest, size: 1 }],
};
const blob = `blobs/sha256/${'a'.repeat(64)}`;

test('any name and tag is the index, a digest is what has it', () => {
  expect(whatFor('/v2/', index)).toEqual({ type: 'application/json' });
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
