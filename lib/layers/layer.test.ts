import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BlockedError } from '#lib/base/errors.ts';
import { temporary } from '#lib/base/temporary.ts';
import { until } from '#lib/base/until.ts';
import type { Lab } from './lab.ts';
import { outcomeOf, raise, type Layer } from './layer.ts';
import { standingUnder } from './layers.ts';

const place = { i: 1, n: 1 };

function fake(parts: Partial<Layer> = {}): Layer & { ups: number } {
  const layer: Layer & { ups: number } = {
    name: 'istio',
    needs: [],
    title: 'a layer of a test',
    expectedMs: 1,
    ups: 0,
    up: async () => {
      layer.ups += 1;
      return Promise.resolve();
    },
    check: async () => Promise.resolve(),
    down: async () => Promise.resolve(),
    ...parts,
  };
  return layer;
}

const nextRun = async (dir: string): Promise<void> => writeFile(join(dir, 'owner'), 'the next run');

const lab = (dir: string): Lab => ({ dir }) as Lab;

describe('raising a layer', () => {
  test('brings it up once and leaves word on disk', async () => {
    await using dir = await temporary();
    const layer = fake();
    await expect(raise(layer, lab(dir.path), place)).resolves.toBe(true);
    await expect(raise(layer, lab(dir.path), place)).resolves.toBe(false);
    expect(layer.ups).toBe(1);
    expect(outcomeOf(dir.path, 'istio')).toMatchObject({ state: 'up' });
  });

  test('keeps what that waited for, unless it was over at once', async () => {
    await using dir = await temporary();
    const look = async (what: string, ms: number): Promise<boolean> => {
      const from = performance.now();
      return until(
        what,
        async () => performance.now() - from >= ms,
        (over) => over,
        { within: 5000, every: 10 },
      );
    };
    const up = async (): Promise<void> => {
      await look('the webhook answers', 130);
      await look('what is there already', 0);
    };
    await raise(fake({ up }), lab(dir.path), place);
    const waits = outcomeOf(dir.path, 'istio')?.waits;
    expect(waits).toMatchObject([{ what: 'the webhook answers' }]);
    expect(waits?.[0]?.ms).toBeGreaterThanOrEqual(100);
  });

  test('brings it up again when a later run finds it gone', async () => {
    await using dir = await temporary();
    const layer = fake({ check: async () => Promise.reject(new Error('istiod is gone')) });
    await raise(layer, lab(dir.path), place);
    await expect(raise(layer, lab(dir.path), place)).resolves.toBe(false);
    await nextRun(dir.path);
    await expect(raise(layer, lab(dir.path), place)).resolves.toBe(true);
    expect(layer.ups).toBe(2);
  });

  test('is done by one process at a time', async () => {
    await using dir = await temporary();
    const layer = fake();
    const both = await Promise.all([raise(layer, lab(dir.path), place), raise(layer, lab(dir.path), place)]);
    expect(both.toSorted()).toEqual([false, true]);
  });

  test('is left alone by a run that finds it standing', async () => {
    await using dir = await temporary();
    const layer = fake();
    await raise(layer, lab(dir.path), place);
    await nextRun(dir.path);
    await expect(raise(layer, lab(dir.path), place)).resolves.toBe(false);
    expect(layer.ups).toBe(1);
  });

  test('that fails blocks by name, and is not tried again in this lab', async () => {
    await using dir = await temporary();
    const layer = fake({ up: async () => Promise.reject(new Error('istioctl said no')) });
    const blocked = 'Layer istio is not up, so this claim was not looked at: istioctl said no';
    await expect(raise(layer, lab(dir.path), place)).rejects.toThrow(blocked);
    await expect(raise(layer, lab(dir.path), place)).rejects.toThrow(BlockedError);
    expect(outcomeOf(dir.path, 'istio')).toMatchObject({ state: 'failed', reason: 'istioctl said no' });
  });
});

test.each([
  ['machines', 'machines'],
  ['gateway', 'machines cluster istio gateway'],
  ['policy', 'machines cluster istio gateway workload apps policy'],
] as const)('%s stands on: %s', (name, under) => {
  expect(standingUnder(name).map((layer) => layer.name)).toEqual(under.split(' '));
});
