import { expect, test } from 'vitest';
import { settings } from '#lib/base/settings.ts';
import { isOlder, neededGo } from './go-version.ts';

test('what is built decides which Go it takes', () => {
  expect(neededGo(settings({})).version).toEqual([1, 24]);
  expect(neededGo(settings({ ISTIO_VERSION: 'master' }))).toEqual({
    version: [1, 26],
    module: 'fixtures/artifacts/istio-master/go.mod',
  });
  // of a release nothing is built but Kubernetes and the small programs
  expect(neededGo(settings({ ISTIO_VERSION: '1.20.3', ARTIFACT_SOURCE: 'release' })).version).toEqual([
    1, 24,
  ]);
});

test('versions are compared as numbers', () => {
  expect(isOlder([1, 9], [1, 24])).toBe(true);
  expect(isOlder([2, 0], [1, 24])).toBe(false);
  expect(isOlder([1, 24], [1, 24])).toBe(false);
});
