import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { temporary } from '#lib/base/temporary.ts';
import { matrix, type VersionRun } from './matrix.ts';
import { nights, nightsMarkdown, worse, type Night } from './nights.ts';
import { sampleRun } from './sample-run.ts';
import { historyFile } from './stored-runs.ts';

let folder: Awaited<ReturnType<typeof temporary>>;
const at = (...parts: string[]): string => join(folder.path, ...parts);

beforeEach(async () => {
  folder = await temporary();
  await mkdir(at('history'));
});

afterEach(async () => folder[Symbol.asyncDispose]());

type Claims = Parameters<typeof sampleRun>[0];
type More = Parameters<typeof sampleRun>[1];

const of = (night: number, istioVersion: string, claims: Claims, more: More = {}) =>
  sampleRun(claims, {
    startedAt: `2026-01-0${String(night)}T01:00:00.000Z`,
    config: { istioVersion },
    ...more,
  });

const keep = async (run: ReturnType<typeof sampleRun>): Promise<void> =>
  writeFile(at('history', historyFile(run)), JSON.stringify(run));

/** The nights of a matrix of these reports, which are kept in the history as a matrix keeps them. */
async function tonight(
  reports: Readonly<Record<string, ReturnType<typeof sampleRun> | undefined>>,
): Promise<Night[]> {
  const runs: VersionRun[] = [];
  for (const [version, report] of Object.entries(reports)) {
    await mkdir(at('matrix', version), { recursive: true });
    if (report) {
      await keep(report);
      await writeFile(at('matrix', version, 'conformance.json'), JSON.stringify(report));
    }
    runs.push({
      version,
      istio: version,
      vmOs: 'debian-12',
      folder: version,
      status: 0,
      ms: 1,
      ...(report ? { report } : { said: 'no such version' }),
    });
  }
  const made = matrix(runs, [], { startedAt: new Date(0), finishedAt: new Date(1), asked: [] });
  await writeFile(at('matrix', 'matrix.json'), JSON.stringify(made));
  return nights(at('matrix'), at('history'));
}

test('a version is compared with its own last run before, and with no other', async () => {
  await keep(of(1, '1.27.9', { 'a.one': 'failed' }));
  await keep(of(2, '1.27.9', { 'a.one': 'passed' }));
  await keep(of(2, 'master', { 'a.one': 'passed', 'a.two': 'failed' }));
  const [old, master] = await tonight({
    '1.27.9': of(3, '1.27.9', { 'a.one': 'failed' }),
    master: of(3, 'master', { 'a.one': 'passed', 'a.two': 'failed' }),
  });
  expect(old?.since?.from.name).toBe('2026-01-02T01-00-00.000Z-1.27.9');
  expect(old && worse(old)).toEqual([{ key: 'a.one', text: '`a.one`: passed → failed: it was not so' }]);
  expect(master && worse(master)).toEqual([]);
  const page = nightsMarkdown([old, master].flatMap((night) => night ?? []));
  expect(page).toContain('**A regression in 1.27.9.**');
  expect(page).toContain('## Istio master\n\nNo difference to 2026-01-02T01-00-00.000Z-master in 2 claims.');
});

test('a run of a part, on another provider or with another VM is not the night before', async () => {
  await keep(of(1, 'master', { 'a.one': 'failed' }));
  await keep(of(2, 'master', { 'a.one': 'passed' }, { selection: { filters: [], pattern: 'a.one' } }));
  const config = { istioVersion: 'master', lab: { provider: 'multipass' } };
  await keep(of(3, 'master', { 'a.one': 'passed' }, { config }));
  const arm64 = { istioVersion: 'master', lab: { vmArch: 'arm64' } };
  await keep(of(4, 'master', { 'a.one': 'passed' }, { config: arm64 }));
  const auto = { istioVersion: 'master', lab: { vmArch: 'auto' } };
  const other = { istioVersion: 'master', lab: { vmArch: 'auto', vmOs: 'debian-13' } };
  await keep(of(4, 'master', { 'a.one': 'passed' }, { config: other }));
  const [night] = await tonight({ master: of(5, 'master', { 'a.one': 'failed' }, { config: auto }) });
  expect(night?.since?.from.startedAt).toBe('2026-01-01T01:00:00.000Z');
});

test('a night on which no lab came up is compared all the same', async () => {
  await keep(of(1, 'master', { 'a.one': 'passed' }));
  const lab = { ...of(2, 'master', {}).lab, provider: 'auto' };
  const [night] = await tonight({ master: of(2, 'master', { 'a.one': 'blocked' }, { lab }) });
  expect(night && worse(night).map(({ key }) => key)).toEqual(['a.one']);
});

test('the first night has nothing to be compared with, and a run without a report is a regression', async () => {
  const found = await tonight({ '1.27.9': of(1, '1.27.9', { 'a.one': 'failed' }), '1.99.0': undefined });
  expect(found.map((night) => worse(night).map(({ key }) => key))).toEqual([[], ['no-report']]);
  const page = nightsMarkdown(found);
  expect(page).toContain('## Istio 1.27.9\n\nThere is no earlier run to compare with.');
  expect(page).toContain('## Istio 1.99.0\n\nIts run left no report: no such version');
  expect(nightsMarkdown(found.slice(0, 1))).toContain('**No regression.**');
});

test('what newly went wrong outside of any claim is worse', async () => {
  await keep(of(1, 'master', { 'a.one': 'passed' }));
  const [night] = await tonight({
    master: of(2, 'master', { 'a.one': 'passed' }, { errors: ['the lab\ndid not end'] }),
  });
  expect(night && worse(night)).toEqual([
    { key: 'outside', text: 'Outside of any claim: the lab did not end' },
  ]);
});

test('without a matrix there is no night', () => {
  expect(() => nights(at('matrix'), at('history'))).toThrow('matrix.json; `npm run matrix` writes it.');
});
