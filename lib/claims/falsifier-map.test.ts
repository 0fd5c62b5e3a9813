import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { layers } from '#lib/layers/layers.ts';
import { catalogue } from './catalogue.ts';
import { falsifierMap, recordFalsifiers } from './falsifier-map.ts';

test('what is committed speaks of claims of the catalogue and of layers that there are', () => {
  const { has } = catalogue();
  const known = new Set<string>(layers.map(({ name }) => name));
  const map = Object.entries(falsifierMap());
  expect(map.flatMap(([id, { alsoRed }]) => [id, ...alsoRed]).filter((id) => !has(id))).toEqual([]);
  expect(map.filter(([, { layer }]) => !known.has(layer))).toEqual([]);
});

test('what was killed takes the place of what was known; the rest stays', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'falsifiers-'));
  try {
    await recordFalsifiers([{ id: 'vm.b', ending: 'killed', breaks: 'workload', alsoRed: [] }], folder);
    const said = await recordFalsifiers(
      [
        { id: 'vm.b', ending: 'survived', breaks: 'apps', alsoRed: ['vm.c'] },
        { id: 'vm.a', ending: 'killed', breaks: 'workload', alsoRed: ['vm.z', 'vm.c'] },
      ],
      folder,
    );
    expect(said).toBe('fixtures/falsifiers.json has 2 claims, 1 of them from this run.');
    expect(falsifierMap(folder)).toEqual({
      'vm.a': { layer: 'workload', alsoRed: ['vm.c', 'vm.z'] },
      'vm.b': { layer: 'workload', alsoRed: [] },
    });
  } finally {
    await rm(folder, { recursive: true });
  }
});
