import { expect, test } from 'vitest';
import { defaults } from '#lib/base/settings.ts';
import { sourcedSettings } from './clean-shell.ts';

test('a shell reads run.env as the harness does, and nothing of our environment shows', async () => {
  expect(await sourcedSettings()).toEqual(defaults());
});

test('what the shell had before stays', async () => {
  expect(await sourcedSettings({ CONTAINER_REGISTRY: 'a=b' })).toMatchObject({ CONTAINER_REGISTRY: 'a=b' });
});
