import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { manifestFile, overlay } from './overlay.ts';
import { fixture } from './paths.ts';
import { settings } from './settings.ts';
import { temporary } from './temporary.ts';

test('without the setting every manifest is the one under fixtures/', () => {
  expect(overlay({})).toBeUndefined();
  expect(overlay({ FIXTURES_OVERLAY: '' })).toBeUndefined();
  expect(manifestFile('05-policy/strict.yaml', {})).toBe(fixture('05-policy', 'strict.yaml'));
  expect(settings({})).not.toHaveProperty('overlay');
});

test('a file of the overlay takes the place of the manifest of its path, and no other', async () => {
  await using folder = await temporary();
  await mkdir(join(folder.path, '05-policy'));
  await writeFile(join(folder.path, '05-policy', 'strict.yaml'), 'kind: Other\n');
  const env = { FIXTURES_OVERLAY: folder.path };
  expect(overlay(env)).toEqual({ folder: folder.path, files: ['05-policy/strict.yaml'] });
  expect(manifestFile('05-policy/strict.yaml', env)).toBe(join(folder.path, '05-policy', 'strict.yaml'));
  expect(manifestFile('05-policy/deny-all.yaml', env)).toBe(fixture('05-policy', 'deny-all.yaml'));
  expect(settings(env)).toMatchObject({ overlay: { files: ['05-policy/strict.yaml'] } });
});

test.each([
  ['05-policy/strikt.yaml', 'there is no manifest fixtures/05-policy/strikt.yaml'],
  ['claims/01-cluster.yaml', 'there is no manifest fixtures/claims/01-cluster.yaml'],
  ['README.md', 'there is no manifest fixtures/README.md'],
])('an overlay with %s is refused by name', async (file, why) => {
  await using folder = await temporary();
  await mkdir(join(folder.path, file, '..'), { recursive: true });
  await writeFile(join(folder.path, file), '');
  expect(() => settings({ FIXTURES_OVERLAY: folder.path })).toThrow(why);
});

test('an overlay that is no folder, or empty, is refused by name', async () => {
  await using folder = await temporary();
  expect(() => overlay({ FIXTURES_OVERLAY: folder.path })).toThrow('has no file');
  expect(() => overlay({ FIXTURES_OVERLAY: 'nowhere' })).toThrow('FIXTURES_OVERLAY=nowhere is no folder.');
  expect(() => overlay({ FIXTURES_OVERLAY: 'README.md' })).toThrow(
    'FIXTURES_OVERLAY=README.md is no folder.',
  );
});
