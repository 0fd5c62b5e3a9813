import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { temporary } from '#lib/base/temporary.ts';
import { minutes } from '#lib/base/until.ts';
import { generateAllureReport, resultsOf, writeAllureResults } from './allure.ts';
import type { Result } from './results.ts';
import { sampleRun } from './sample-run.ts';

// Allure's own program makes the report
vi.setConfig({ testTimeout: minutes(1) });

/** A run in the file of Allure's history, as far as it is looked at here. */
interface Point {
  testResults: Record<string, { fullName: string; environment: string; status: string }>;
}

interface Shown {
  testCase: { id: string };
  environment: string;
  history: { status: string; environment: string }[];
}

test('a claim is one test case in all versions, and has its trend in each of them', async () => {
  await using folder = await temporary();
  const history = join(folder.path, 'history', 'allure.jsonl');
  const report = join(folder.path, 'report');
  const night = async (verdicts: Readonly<Record<string, Result['verdict']>>): Promise<void> => {
    const runs = [];
    for (const [version, verdict] of Object.entries(verdicts)) {
      const run = sampleRun(
        { 'a.one': { verdict, evidence: [{ what: 'it', value: `seen in ${version}` }] } },
        { config: { istioVersion: version }, measured: { envoy: `of ${version}` } },
      );
      const results = join(folder.path, version);
      await writeAllureResults(
        run,
        { guide: { title: '', sections: [] } },
        join(folder.path, 'none'),
        results,
      );
      runs.push(resultsOf(run, results));
    }
    await generateAllureReport(runs, report, history);
  };
  await night({ '1.24.0': 'passed', master: 'failed' });
  await night({ '1.24.0': 'passed', master: 'passed' });

  const points = (await readFile(history, 'utf8')).trim().split('\n');
  expect(
    points.map((line) =>
      Object.values((JSON.parse(line) as Point).testResults)
        .map(({ fullName, environment, status }) => `${fullName} ${environment} ${status}`)
        .sort(),
    ),
  ).toEqual([
    ['a.one Istio 1.24.0 passed', 'a.one Istio master failed'],
    ['a.one Istio 1.24.0 passed', 'a.one Istio master passed'],
  ]);

  const files = embedded(await readFile(join(report, 'index.html'), 'utf8'));
  const shown = [...files]
    .filter(([name]) => name.startsWith('data/test-results/'))
    .map(([, text]) => JSON.parse(text) as Shown)
    .sort((a, b) => (a.environment < b.environment ? -1 : 1));
  expect(shown.map(({ environment, history: before }) => [environment, before])).toMatchObject([
    ['Istio 1.24.0', [{ status: 'passed', environment: 'Istio 1.24.0' }]],
    ['Istio master', [{ status: 'failed', environment: 'Istio master' }]],
  ]);
  expect(new Set(shown.map(({ testCase }) => testCase.id)).size).toBe(1);
  expect(JSON.parse(files.get('widgets/istio-master/variables.json') ?? '')).toMatchObject({
    envoy: 'of master',
  });
  const attachments = [...files].filter(([name]) => name.startsWith('data/attachments/'));
  expect(attachments.map(([, text]) => text).sort()).toEqual(['seen in 1.24.0', 'seen in master']);
});

/** The files that a report in one file carries. */
function embedded(html: string): Map<string, string> {
  const found = [...html.matchAll(/d\("([^"]+)","([^"]*)"\)/g)];
  return new Map(
    found.map(([, name = '', text = '']) => [name, Buffer.from(text, 'base64').toString('utf8')]),
  );
}
