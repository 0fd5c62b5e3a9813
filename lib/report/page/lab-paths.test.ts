import { describe, expect, test } from 'vitest';
import { catalogue } from '#lib/claims/catalogue.ts';
import { labPaths, standing } from './lab-paths.ts';
import { tall, wide } from './picture-layout.ts';
import { sampleRun } from './sample.ts';

describe('fixtures/paths.yaml', () => {
  const { parts, paths } = labPaths();

  test('names claims of the catalogue, each once for a part or path, and at least one for each path', () => {
    const known = catalogue();
    for (const [name, { claims }] of [...Object.entries(parts), ...Object.entries(paths)]) {
      expect({ name, unknown: claims.filter((id) => !known.has(id)) }).toEqual({ name, unknown: [] });
      expect(new Set(claims).size).toBe(claims.length);
    }
    for (const [name, { claims }] of Object.entries(paths))
      expect([name, claims.length]).not.toEqual([name, 0]);
  });

  test('has the parts and paths that are drawn, no more and no fewer', () => {
    for (const layout of [wide, tall]) {
      expect(Object.keys(layout.parts).sort()).toEqual(Object.keys(parts).sort());
      expect(Object.keys(layout.routes).sort()).toEqual(Object.keys(paths).sort());
    }
  });

  test('leads from a part to a part', () => {
    const places = Object.values(paths).flatMap(({ from, via, to }) => [
      from,
      to,
      ...(via === undefined ? [] : [via]),
    ]);
    expect(places.filter((place) => !(place in parts) && place !== 'the VM')).toEqual([]);
  });
});

describe('what a run says about a path', () => {
  const reason = 'seen';
  const [one, two] = ['vm.hosts-file', 'vm.cert-issued-24h'];
  const state = (...verdicts: ('passed' | 'failed' | 'broken' | 'blocked' | 'not-selected')[]) => {
    const [first = 'passed', second = 'passed'] = verdicts;
    const { claims } = sampleRun({ [one]: { verdict: first, reason }, [two]: { verdict: second, reason } });
    return standing([one, two], claims).state;
  };

  test('is proven when one of its claims passed and none says otherwise', () => {
    expect(state('passed', 'passed')).toBe('proven');
    expect(state('passed', 'not-selected')).toBe('proven');
    expect(state('passed', 'blocked')).toBe('proven');
  });

  test('is what the worst of its claims is', () => {
    expect(state('passed', 'failed')).toBe('failed');
    expect(state('broken', 'failed')).toBe('failed');
    expect(state('passed', 'broken')).toBe('broken');
  });

  test('is not proven when nobody could look, or nobody did', () => {
    expect(state('blocked', 'not-selected')).toBe('blocked');
    expect(state('not-selected', 'not-selected')).toBe('unseen');
    expect(standing(['vm.no-such-claim'], sampleRun().claims)).toEqual({
      state: 'unseen',
      looked: [],
      passed: 0,
    });
  });
});
