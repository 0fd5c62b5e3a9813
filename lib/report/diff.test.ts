import Ajv from 'ajv/dist/2020.js';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { readJson } from '#lib/base/files.ts';
import { root } from '#lib/base/paths.ts';
import { diffMarkdown, diffText } from './diff-text.ts';
import { diff, isEmpty, type RunDiff } from './diff.ts';
import { beyondNoise, noise } from './noise.ts';
import type { Result } from './results.ts';
import { sampleRun } from './sample-run.ts';

type Claims = Parameters<typeof sampleRun>[0];
type More = Parameters<typeof sampleRun>[1];

const between = (was: Claims, is: Claims, wasMore: More = {}, isMore: More = {}): RunDiff =>
  diff({ name: 'one', report: sampleRun(was, wasMore) }, { name: 'two', report: sampleRun(is, isMore) });

test('an unchanged pair has an empty diff', () => {
  const claims: Claims = { 'a.passed': 'passed', 'a.failed': 'failed', 'a.absent': 'not-applicable' };
  const found = between(
    claims,
    claims,
    { errors: ['boom'] },
    { errors: ['boom'], startedAt: '2026-02-02T00:00:00.000Z' },
  );
  expect(isEmpty(found)).toBe(true);
  expect(found).toMatchObject({ regression: false, changes: [], timings: [], newErrors: [], compared: 3 });
  expect(diffText(found)).toContain('No difference: compared 3 of 3 claims.');
});

test.each<[was: Result['verdict'], is: Result['verdict'], kind: string, regression: boolean]>([
  ['passed', 'failed', 'newly-failing', true],
  ['passed', 'broken', 'newly-failing', true],
  ['passed', 'blocked', 'newly-failing', true],
  ['not-applicable', 'failed', 'newly-failing', true],
  ['not-implemented', 'failed', 'newly-failing', true],
  ['failed', 'passed', 'fixed', false],
  ['blocked', 'passed', 'fixed', false],
  ['blocked', 'failed', 'otherwise-red', false],
  ['passed', 'not-applicable', 'newly-not-applicable', false],
  ['failed', 'not-applicable', 'newly-not-applicable', false],
  ['not-applicable', 'passed', 'newly-applicable', false],
  ['not-implemented', 'passed', 'newly-implemented', false],
  ['passed', 'not-implemented', 'no-longer-implemented', false],
])('%s and then %s is %s', (was, is, kind, regression) => {
  const found = between({ 'a.claim': was, 'a.other': 'passed' }, { 'a.claim': is, 'a.other': 'passed' });
  expect(found.changes).toMatchObject([{ id: 'a.claim', from: was, to: is, kind }]);
  expect(found.regression).toBe(regression);
});

test('a claim that only one catalogue has is one that nobody proved in the other', () => {
  const found = between({ 'a.gone': 'passed' }, { 'a.new': 'failed' });
  expect(found.changes).toMatchObject([
    { id: 'a.new', kind: 'newly-failing', from: 'not-implemented', reason: 'it was not so' },
    { id: 'a.gone', kind: 'no-longer-implemented', reason: null },
  ]);
});

test('what one of the runs was not asked for is not compared', () => {
  const found = between(
    { 'a.one': 'passed', 'a.two': 'passed' },
    { 'a.one': 'not-selected', 'a.two': 'failed' },
  );
  expect(found).toMatchObject({ compared: 1, notCompared: ['a.one'] });
  expect(found.changes.map(({ id }) => id)).toEqual(['a.two']);
});

test('what newly went wrong outside of any claim is a regression', () => {
  const found = between(
    { 'a.one': 'passed' },
    { 'a.one': 'passed' },
    { errors: ['old'] },
    { errors: ['old', 'new'] },
  );
  expect(found).toMatchObject({ regression: true, changes: [], newErrors: ['new'] });
  expect(diffText(found)).toContain('Outside of any claim (1)\n  new\n');
});

test('a time differs by more than noise when it does so by the ratio and by the floor', () => {
  const { ratio, floorMs } = noise;
  expect(beyondNoise(floorMs, floorMs * ratio)).toBe(true);
  expect(beyondNoise(floorMs * ratio, floorMs)).toBe(true);
  expect(beyondNoise(0, floorMs)).toBe(true);
  expect(beyondNoise(0, floorMs - 1)).toBe(false);
  // by the floor, but not by the ratio
  expect(beyondNoise(10 * floorMs, 11 * floorMs)).toBe(false);
});

test('only claims that passed twice are compared in time, and convergence is told apart', () => {
  const slow = {
    durationMs: 100_000,
    waits: [
      { what: 'it', startedAt: '2026-01-02T03:04:06.000Z', ms: 30_000 },
      { what: 'more', startedAt: '2026-01-02T03:04:36.000Z', ms: 60_000 },
    ],
  };
  const found = between(
    { 'a.slow': 'passed', 'a.red': 'passed', 'a.quick': slow },
    { 'a.slow': slow, 'a.red': { ...slow, verdict: 'failed' }, 'a.quick': 'passed' },
  );
  expect(found.timings.map(({ id, what, fromMs, toMs }) => [id, what, fromMs, toMs])).toEqual([
    ['a.quick', 'duration', 100_000, 1000],
    ['a.quick', 'convergence', 90_000, 0],
    ['a.slow', 'duration', 1000, 100_000],
    ['a.slow', 'convergence', 0, 90_000],
  ]);
  expect(found.regression).toBe(true);
  expect(diffText(found)).toContain('a.slow  convergence 0.0 s → 1 min 30 s');
});

test('Markdown has a table for each kind, with the reason in one line that breaks no table', () => {
  const found = between(
    { 'a.one': 'passed', 'a.two': 'failed' },
    { 'a.one': { verdict: 'failed', reason: 'a | b\nc' }, 'a.two': 'passed' },
    {},
    { cause: { layer: 'istio', line: 'layer istio', claims: ['a.one'] } },
  );
  const text = diffMarkdown(found, 2);
  expect(text).toContain('## From one to two\n');
  expect(text).toContain('### Newly failing (1)\n');
  expect(text).toContain('| `a.one` | passed | failed | a \\| b c |');
  expect(text).toContain('### Fixed (1)\n');
  expect(text).toContain('Likely cause: layer istio.');
  expect(text).toContain('**A regression: compared 2 of 2 claims.**');
});

test('a diff keeps its contract', () => {
  const found = between(
    { 'a.one': 'passed', 'a.slow': 'passed', 'a.left': 'not-selected' },
    { 'a.one': 'failed', 'a.slow': { durationMs: 90_000 }, 'a.left': 'passed' },
    {},
    { errors: ['boom'] },
  );
  const ajv = new Ajv.Ajv2020({ allErrors: true });
  ajv.validate(readJson<object>(join(root, 'lib', 'report', 'diff.schema.json')) ?? {}, found);
  expect(ajv.errors).toBeNull();
});
