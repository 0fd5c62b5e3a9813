import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { settings } from '#lib/base/settings.ts';
import { prepare } from './artifacts.ts';

test('a version that no source has is refused before anything is made', async () => {
  const cache = await mkdtemp(join(tmpdir(), 'artifacts-test-'));
  const vm = {
    image: async () => Promise.resolve('/image'),
    snapshot: async () => Promise.resolve('/snapshot'),
  };

  await expect(prepare(settings({ LAB_CACHE: cache, ISTIO_VERSION: '1.26.0' }), vm)).rejects.toThrow(
    /ISTIO_VERSION=1\.26\.0 is in no artifact source/,
  );

  expect(await readdir(cache)).toEqual([]);
  await rm(cache, { recursive: true });
});
