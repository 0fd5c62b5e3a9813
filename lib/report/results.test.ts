import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { readJson } from '#lib/base/files.ts';
import { catalogue } from '#lib/claims/catalogue.ts';
import type { Outcome } from '#lib/claims/outcome.ts';
import { audit } from './audit.ts';
import { conformance, type Conformance } from './conformance.ts';
import { exitStatus } from './exit-status.ts';
import { outputsIn, write, type Outputs } from './outputs.ts';
import { judgementOf, results, totalsOf, type Looked } from './results.ts';

const known = catalogue();
const selection = { partial: false, filters: [], ids: new Set(known.claims.map(({ id }) => id)) };
const nothing = { fileErrors: new Map<string, string>(), outside: [] };
const facts = {
  lab: { name: 'a', provider: 'local', distribution: 'upstream', artifactSource: 'modules', features: [] },
  measured: { istio: '1.27.9' },
  config: {},
  timeline: [],
  ended: [],
};

const passed = (id: string): Looked => {
  const outcome: Outcome = {
    id,
    standsOn: 'cluster',
    within: 1,
    evidence: [],
    waits: [],
    judgement: { verdict: 'passed' },
  };
  return { id, file: '01-cluster/a.test.ts', state: 'passed', durationMs: 5, outcome, errors: [] };
};

test('a claim that two files prove is broken', () => {
  const twice = [passed('cluster.version'), { ...passed('cluster.version'), file: '01-cluster/b.test.ts' }];
  const result = results(known, selection, [], twice, nothing).find(({ id }) => id === 'cluster.version');
  expect(result).toMatchObject({
    verdict: 'broken',
    reason: 'Both 01-cluster/a.test.ts and 01-cluster/b.test.ts declare it.',
  });
});

test('a claim that a file proves but whose test never reported is broken', () => {
  const proofs = [{ id: 'cluster.version', file: '01-cluster/a.test.ts' }];
  const result = results(known, selection, proofs, [], nothing).find(({ id }) => id === 'cluster.version');
  expect(result).toMatchObject({
    verdict: 'broken',
    reason: 'Its test in 01-cluster/a.test.ts never reported.',
  });
});

test('a pass that vitest does not confirm is none', () => {
  const errors = [{ name: 'Error', message: 'afterEach failed' }];
  expect(judgementOf({ ...passed('a'), state: 'failed', errors })).toMatchObject({
    verdict: 'broken',
    reason: 'afterEach failed',
  });
  expect(judgementOf({ ...passed('a'), state: 'skipped' })).toBeUndefined();
});

test('what passes only at a second look is flaky, not passed', () => {
  expect(judgementOf({ ...passed('a'), retries: 1 })).toEqual({
    verdict: 'broken',
    reason: 'flaky: it passed only when it was looked at 2 times.',
  });
});

test.each([
  ['green', 0, 0],
  ['green', 1, 1],
  ['red', 0, 1],
  ['refused', 1, 2],
  ['none', 0, 2],
  ['none', 143, 143],
] as const)('a run that ends %s, where vitest would say %i, ends with %i', (ending, code, status) => {
  expect(exitStatus(ending, code)).toBe(status);
});

describe('the outputs', () => {
  let folder: string;
  let outputs: Outputs;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'outputs-'));
    outputs = outputsIn(folder);
    const list = results(known, selection, [], [passed('cluster.version')], nothing);
    const now = new Date();
    const report = conformance({
      startedAt: now,
      finishedAt: now,
      selection,
      results: list,
      outside: [],
      facts,
    });
    expect(await write(report, outputs, known, { html: false, last: true })).toEqual([]);
    expect(totalsOf(list)).toMatchObject({ passed: 1, 'not-implemented': 256 });
  });

  afterEach(async () => {
    await rm(folder, { recursive: true });
  });

  test('an output that does not add up to the catalogue is told', async () => {
    const spoil = async (file: string, from: string | RegExp, to: string): Promise<void> => {
      const text = await readFile(file, 'utf8');
      await writeFile(file, text.replace(from, to));
    };
    await spoil(outputs.json, '"passed": 1', '"passed": 2');
    await spoil(outputs.summaryMd, '1 passed', '3 passed');
    await spoil(outputs.junitXml, '<testcase ', '<case ');
    await rm(join(outputs.allureResults, 'cluster.version-result.json'));
    expect(audit(outputs, 257).slice(0, 4)).toEqual([
      'The totals of conformance.json come to 258, the catalogue to 257.',
      'The test cases of junit.xml come to 256, the catalogue to 257.',
      'The results for Allure come to 256, the catalogue to 257.',
      'The first sum in summary.md come to 0, the catalogue to 257.',
    ]);
  });

  test('so is one that has another verdict for a claim, though the sum is right', async () => {
    const file = join(outputs.allureResults, 'cluster.version-result.json');
    const result = await readFile(file, 'utf8');
    await writeFile(file, result.replace('"value":"passed"', '"value":"failed"'));
    const xml = await readFile(outputs.junitXml, 'utf8');
    await writeFile(outputs.junitXml, xml.replace('type="not-implemented"', 'type="blocked"'));
    expect(audit(outputs, 257)).toEqual([
      'The test cases of junit.xml have 1 blocked, the totals of conformance.json 0.',
      'The test cases of junit.xml have 255 not-implemented, the totals of conformance.json 256.',
      'The results for Allure have 0 passed, the totals of conformance.json 1.',
      'The results for Allure have 1 failed, the totals of conformance.json 0.',
    ]);
  });

  test('so is a page that lost a claim or counts another way', async () => {
    const text = await readFile(outputs.indexHtml, 'utf8');
    const lost = text.replace('data-entry', 'data-lost');
    await writeFile(
      outputs.indexHtml,
      lost.replace(/data-total="passed"\s+data-count="1"/, 'data-count="1"'),
    );
    expect(audit(outputs, 257)).toEqual([
      'The totals of index.html come to 256, the catalogue to 257.',
      'The claims of index.html come to 256, the catalogue to 257.',
      'The totals of index.html have 0 passed, the totals of conformance.json 1.',
      'The claims of index.html have 255 not-implemented, the totals of conformance.json 256.',
    ]);
  });

  test('what is no comparison of versions keeps no page from being written', async () => {
    await mkdir(dirname(outputs.matrixJson));
    await writeFile(outputs.matrixJson, '{ "claims": 7 }');
    const report = readJson<Conformance>(outputs.json);
    expect(report && (await write(report, outputs, known, { html: false, last: true }))).toEqual([]);
    expect(await readFile(outputs.indexHtml, 'utf8')).toContain('The one claim that was looked at holds');
  });

  test('the measured versions are in what Allure shows of the environment', async () => {
    const text = await readFile(join(outputs.allureResults, 'environment.properties'), 'utf8');
    expect(text.split('\n')).toEqual(['istio=1.27.9', 'lab=a', 'provider=local', '']);
  });
});
