import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { attempt } from '#lib/base/command.ts';
import { RefusedError } from '#lib/base/errors.ts';
import { ownProgram } from '#lib/base/own-program.ts';
import { temporary } from '#lib/base/temporary.ts';
import { runList } from './run-list.ts';
import { sampleRun } from './sample-run.ts';
import { findRun, historyFile, runNames } from './stored-runs.ts';

let reports: Awaited<ReturnType<typeof temporary>>;
let history: string;

beforeAll(async () => {
  reports = await temporary();
  history = join(reports.path, 'history');
  await mkdir(history);
  const runs = [
    sampleRun(
      { 'a.one': 'passed' },
      { startedAt: '2026-01-01T00:00:00.000Z', config: { istioVersion: '1.24.0' } },
    ),
    sampleRun({ 'a.one': 'passed' }, { startedAt: '2026-01-02T00:00:00.000Z' }),
    sampleRun(
      { 'a.one': 'failed', 'a.two': 'not-selected' },
      { startedAt: '2026-01-03T00:00:00.000Z', selection: { filters: [], pattern: 'a.one' } },
    ),
  ];
  for (const run of runs) await writeFile(join(history, historyFile(run)), JSON.stringify(run));
  await writeFile(join(reports.path, 'conformance.json'), JSON.stringify(runs[2]));
  await writeFile(join(history, 'allure.jsonl'), '');
});

afterAll(async () => reports[Symbol.asyncDispose]());

test('a run is named by when it started and the version that was asked for', () => {
  expect(runNames(history)).toEqual([
    '2026-01-01T00-00-00.000Z-1.24.0',
    '2026-01-02T00-00-00.000Z-1.27.9',
    '2026-01-03T00-00-00.000Z-1.27.9',
  ]);
  expect(runNames(join(history, 'nowhere'))).toEqual([]);
});

test.each([
  ['latest', '2026-01-03T00-00-00.000Z-1.27.9'],
  ['previous', '2026-01-02T00-00-00.000Z-1.27.9'],
  ['1.27.9', '2026-01-03T00-00-00.000Z-1.27.9'],
  ['1.24.0', '2026-01-01T00-00-00.000Z-1.24.0'],
  ['2026-01-02', '2026-01-02T00-00-00.000Z-1.27.9'],
  ['2026-01-02T00-00-00.000Z-1.27.9', '2026-01-02T00-00-00.000Z-1.27.9'],
])('%s is a run of the history', (word, name) => {
  const run = findRun(word, history);
  expect(run.name).toBe(name);
  expect(historyFile(run.report)).toBe(`conformance-${name}.json`);
});

test('a file or its folder is a run', () => {
  for (const path of [reports.path, join(reports.path, 'conformance.json')])
    expect(findRun(path, history)).toMatchObject({
      name: path,
      report: { startedAt: '2026-01-03T00:00:00.000Z' },
    });
});

test('a run of before the waits were told has none', async () => {
  const { claims, ...rest } = sampleRun({ 'a.one': 'passed' });
  const old = join(reports.path, 'old.json');
  await writeFile(old, JSON.stringify({ ...rest, claims: claims.map(({ waits: _, ...claim }) => claim) }));
  expect(findRun(old, history).report.claims).toMatchObject([{ id: 'a.one', waits: [] }]);
});

test('what is no run is refused by name', async () => {
  const other = join(reports.path, 'other.json');
  const broken = join(reports.path, 'broken.json');
  await writeFile(other, '{ "schemaVersion": 2, "claims": [] }');
  await writeFile(broken, '{');
  const refusal = (word: string, place = history): string => {
    try {
      findRun(word, place);
    } catch (error) {
      if (error instanceof RefusedError) return error.message;
      throw error;
    }
    throw new Error(`${word} was taken for a run`);
  };
  expect(refusal('1.24.1')).toContain('There is no run "1.24.1"');
  expect(refusal('1.24.1')).toMatch(/Near it: 2026-01-01T00-00-00\.000Z-1\.24\.0/);
  expect(refusal('')).toContain('There is no run ""');
  expect(refusal(other)).toContain(`${other} is no report of a run: it has no claims`);
  expect(refusal(broken)).toContain(`${broken} is no report of a run: `);
  expect(refusal(history)).toBe(`${history} is a folder without a conformance.json.`);
  expect(refusal('latest', join(history, 'nowhere'))).toContain('The history is empty.');
});

test('the list has a line for each run, and for a file that is none', async () => {
  const foreign = join(history, 'conformance-2026-01-04.json');
  await writeFile(foreign, '[]');
  const lines = runList(history).trimEnd().split('\n');
  expect(lines).toHaveLength(4);
  expect(lines[0]).toContain('2026-01-01T00-00-00.000Z-1.24.0  Istio 1.24.0, lab sample, 1 passed, 0 red, ');
  expect(lines[2]).toMatch(/0 passed, 1 red, .*, only -t a\.one$/);
  expect(lines[3]).toContain(`${foreign} is no report of a run`);
  expect(runList(join(history, 'nowhere'))).toContain('No run is kept in');
});

test('npm run report: statuses, and what goes to which stream', async () => {
  const report = async (...words: string[]) =>
    attempt([...ownProgram('lib/cli/report.ts'), ...words], {
      env: { LAB_REPORTS: reports.path, DISPLAY: '', WAYLAND_DISPLAY: '' },
    });
  const [same, worse, unknown, option] = await Promise.all([
    report('diff', '1.24.0', '2026-01-02'),
    report('diff', '2026-01-02', reports.path, '--json'),
    report('diff', '1.24.0', 'nowhere'),
    report('diff', '1.24.0', 'latest', '--html'),
  ]);
  expect([same.code, same.stdout]).toEqual([0, expect.stringContaining('No difference: ')]);
  expect([worse.code, JSON.parse(worse.stdout)]).toMatchObject([
    1,
    { regression: true, to: { name: reports.path } },
  ]);
  expect([unknown.code, unknown.stdout, unknown.stderr]).toEqual([
    2,
    '',
    expect.stringContaining('There is no run "nowhere"'),
  ]);
  expect([option.code, option.stderr]).toEqual([2, expect.stringContaining("'--html'")]);
});
