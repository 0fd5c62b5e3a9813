import Ajv from 'ajv/dist/2020.js';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readJson } from '#lib/base/files.ts';
import { root } from '#lib/base/paths.ts';
import { temporary } from '#lib/base/temporary.ts';
import { seconds, until } from '#lib/base/until.ts';
import type { Bounded } from '#lib/report/bounds.ts';
import { isEmpty } from '#lib/report/diff.ts';
import type { Matrix } from '#lib/report/matrix.ts';
import { sampleRun } from '#lib/report/sample-run.ts';
import { plan } from './plan.ts';
import { runMatrix } from './runs.ts';

/*
 * Stands in for a run: writes the report that it was given for its version where a run writes it, tells what it was
 * asked for, and ends with its status. `meets` names versions that have to be running too before it goes on.
 */
const standIn = `
  import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
  const { ISTIO_VERSION: istio, LAB_REPORTS: reports, LAB_NAME: lab, FIXTURES_OVERLAY: overlay = '' } = process.env;
  const version = reports.split('/').at(-1);
  const here = import.meta.dirname;
  const { report, status, meets = [], hangs } = JSON.parse(readFileSync(here + '/told.json', 'utf8'))[version];
  console.log([istio, lab, ...process.argv.slice(2), overlay].join(' ').trim());
  const others = ['1.24.0', '1.27.9', 'master'].filter((one) => existsSync(here + '/running-' + one) && !existsSync(here + '/ended-' + one));
  writeFileSync(here + '/running-' + version, '');
  console.log('beside ' + (others.join(' ') || 'nobody'));
  while (!meets.every((one) => existsSync(here + '/running-' + one))) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
  if (report) {
    mkdirSync(reports, { recursive: true });
    writeFileSync(reports + '/conformance.json', typeof report === 'string' ? report : JSON.stringify(report));
  }
  if (hangs) setInterval(() => {}, 1000);
  else {
    writeFileSync(here + '/ended-' + version, '');
    process.exitCode = status;
  }
`;

interface Told {
  report?: unknown;
  status: number;
  meets?: string[];
  hangs?: boolean;
}

let folder: Awaited<ReturnType<typeof temporary>>;
const at = (...parts: string[]): string => join(folder.path, ...parts);

beforeEach(async () => {
  folder = await temporary();
  await writeFile(at('run.mjs'), standIn);
});

afterEach(async () => folder[Symbol.asyncDispose]());

type Claims = Parameters<typeof sampleRun>[0];

const reportOf = (istioVersion: string, claims: Claims) =>
  sampleRun(claims, { startedAt: '2026-01-01T00:00:00.000Z', config: { istioVersion } });

async function made(
  words: readonly string[],
  told: Readonly<Record<string, Told>>,
  { claims = [], signal = new AbortController().signal }: { claims?: Bounded[]; signal?: AbortSignal } = {},
): Promise<Matrix> {
  await writeFile(at('told.json'), JSON.stringify(told));
  const planned = plan(words, { LAB_NAME: 'm' }, { cores: 2, memoryMiB: 8192 }, at('reports', 'matrix'));
  return runMatrix(planned, {
    command: [process.execPath, at('run.mjs'), 'run'],
    into: at('reports', 'matrix'),
    history: at('reports', 'history'),
    claims,
    html: false,
    signal,
  });
}

const log = async (version: string): Promise<string> =>
  readFile(at('reports', 'matrix', version, 'run.log'), 'utf8');

test('three versions, one report: the difference that was seeded is found, and no other', async () => {
  const well: Claims = { 'a.one': 'passed', 'a.two': 'passed', 'a.absent': 'not-applicable' };
  const matrix = await made(['1.24.0', '1.27.9', 'master'], {
    '1.24.0': { report: reportOf('1.24.0', well), status: 0 },
    '1.27.9': { report: reportOf('1.27.9', { ...well, 'a.two': 'failed' }), status: 1 },
    master: { report: reportOf('master', well), status: 0 },
  });
  const found = matrix.diffs.map(({ from, to, changes }) => [
    `${from.name}..${to.name}`,
    ...changes.map(({ id, kind }) => `${kind} ${id}`),
  ]);
  expect(found).toEqual([
    ['1.24.0..1.27.9', 'newly-failing a.two'],
    ['1.24.0..master'],
    ['1.27.9..master', 'fixed a.two'],
  ]);
  expect(matrix.diffs.map(isEmpty)).toEqual([false, true, false]);
  expect(matrix.claims.filter(({ differs }) => differs)).toMatchObject([
    {
      id: 'a.two',
      cells: {
        '1.24.0': { verdict: 'passed', durationMs: 1000, waitedMs: 0 },
        '1.27.9': { verdict: 'failed', reason: 'it was not so' },
        master: { verdict: 'passed' },
      },
    },
  ]);
  expect(matrix.status).toBe(1);
  expect(await readdir(at('reports', 'history'))).toEqual([
    'conformance-2026-01-01T00-00-00.000Z-1.24.0.json',
    'conformance-2026-01-01T00-00-00.000Z-1.27.9.json',
    'conformance-2026-01-01T00-00-00.000Z-master.json',
  ]);

  expect(readJson(at('reports', 'matrix', 'matrix.json'))).toEqual(matrix);
  const ajv = new Ajv.Ajv2020({ allErrors: true });
  const schema = (name: string): object => readJson<object>(join(root, 'lib', 'report', name)) ?? {};
  ajv.addSchema(schema('diff.schema.json'));
  ajv.validate(schema('matrix.schema.json'), matrix);
  expect(ajv.errors).toBeNull();

  const page = await readFile(at('reports', 'matrix', 'matrix.md'), 'utf8');
  expect(await readFile(at('reports', 'matrix', 'index.html'), 'utf8')).toContain('<td class="failed"');
  expect(page).toContain('| claim | 1.24.0 | 1.27.9 | master |\n| --- | --- | --- | --- |\n');
  expect(page).toContain('| `a.two` | ✓ passed | **failed** | ✓ passed |');
  expect(page).toContain('### From 1.24.0 to master\n\nNo difference in 3 claims.');
});

test('a version that fails without a report is told, and does not keep the others from being run', async () => {
  const matrix = await made(['1.24.0', '1.27.9', 'master'], {
    '1.24.0': { status: 2 },
    '1.27.9': { report: '{ "half', status: 0 },
    master: { report: reportOf('master', { 'a.one': 'passed' }), status: 0 },
  });
  expect(matrix.versions).toMatchObject([
    { version: '1.24.0', status: 2, run: null, said: 'beside nobody' },
    { version: '1.27.9', status: 0, run: null },
    { version: 'master', status: 0, run: { name: 'master', totals: { passed: 1 } }, said: null },
  ]);
  expect(matrix).toMatchObject({ status: 2, diffs: [], claims: [{ id: 'a.one', cells: { master: {} } }] });
  const page = await readFile(at('reports', 'matrix', 'matrix.md'), 'utf8');
  expect(page).toContain('- 1.24.0 left no report (1.24.0/run.log): beside nobody');
});

test('no report is not well, whatever the run ended with', async () => {
  expect(await made(['master'], { master: { status: 0 } })).toMatchObject({ status: 1 });
});

test('each run gets what was asked for, and leaves what it said', async () => {
  const report = reportOf('1.24.0', { 'a.one': 'passed' });
  const told = { '1.24.0': { report, status: 0 }, master: { report, status: 0 } };
  const matrix = await made(['1.24.0', 'master', 'suites/04-traffic', '-t', 'a.one'], told);
  expect(await log('1.24.0')).toContain('1.24.0 m-1-24-0 run suites/04-traffic -t a.one\n');
  expect(await log('master')).toContain('master m-master run suites/04-traffic -t a.one\nbeside nobody\n');
  expect(matrix.asked).toEqual(['suites/04-traffic', '-t', 'a.one']);
});

test('two run side by side when there is room, and the order stays that of the question', async () => {
  const told = (version: string, meets: string[] = []): Told => ({
    report: reportOf(version, { 'a.one': 'passed' }),
    status: 0,
    meets,
  });
  const matrix = await made(['1.24.0', '1.27.9', 'master', '--at-once', '2'], {
    // the first ends only when the third has begun, for which the second has to end
    '1.24.0': told('1.24.0', ['1.27.9', 'master']),
    '1.27.9': told('1.27.9', ['1.24.0']),
    master: told('master'),
  });
  expect(matrix.versions.map(({ version, status }) => [version, status])).toEqual([
    ['1.24.0', 0],
    ['1.27.9', 0],
    ['master', 0],
  ]);
  expect(await log('master')).toContain('beside 1.24.0\n');
});

test('what is called off is reported as far as it came', async () => {
  const off = new AbortController();
  const running = made(
    ['1.24.0', '1.27.9', 'master'],
    {
      '1.24.0': { report: reportOf('1.24.0', { 'a.one': 'passed' }), status: 0 },
      '1.27.9': { status: 0, hangs: true, meets: ['1.24.0'] },
      master: { status: 0 },
    },
    { signal: off.signal },
  );
  await until(
    '1.27.9 runs',
    async () => readdir(folder.path),
    (files) => files.includes('running-1.27.9'),
    { within: seconds(10), every: 10 },
  );
  off.abort();
  const { versions, status } = await running;
  expect(status).toBe(1);
  expect(versions).toMatchObject([
    { version: '1.24.0', status: 0, run: { totals: { passed: 1 } } },
    { version: '1.27.9', status: 1, run: null },
    { version: 'master', status: 1, run: null, said: 'It was called off before it began.' },
  ]);
  expect(versions[1]?.said).toContain('Called off');
});

test('versions by systems of the VM: pairs differ in one of the two, and bounds are those of Istio', async () => {
  const of = (istioVersion: string, vmOs: string, verdict: 'passed' | 'failed'): Told => ({
    report: sampleRun({ 'a.new': verdict }, { config: { istioVersion, lab: { vmOs } }, measured: { vmOs } }),
    status: 0,
  });
  const matrix = await made(
    ['1.24.0', '1.27.9', '--vm-os', 'debian-12,debian-13'],
    {
      '1.24.0': of('1.24.0', 'debian-12', 'failed'),
      '1.24.0-debian-13': of('1.24.0', 'debian-13', 'failed'),
      '1.27.9': of('1.27.9', 'debian-12', 'passed'),
      '1.27.9-debian-13': of('1.27.9', 'debian-13', 'failed'),
    },
    { claims: [{ id: 'a.new', since: '1.27' }] },
  );
  expect(matrix.versions.map(({ version, istio, vmOs }) => [version, istio, vmOs])).toEqual([
    ['1.24.0', '1.24.0', 'debian-12'],
    ['1.24.0-debian-13', '1.24.0', 'debian-13'],
    ['1.27.9', '1.27.9', 'debian-12'],
    ['1.27.9-debian-13', '1.27.9', 'debian-13'],
  ]);
  expect(matrix.diffs.map(({ from, to, changes }) => [from.name, to.name, changes.length])).toEqual([
    ['1.24.0', '1.24.0-debian-13', 0],
    ['1.24.0', '1.27.9', 1],
    ['1.24.0-debian-13', '1.27.9-debian-13', 0],
    ['1.27.9', '1.27.9-debian-13', 1],
  ]);
  expect(matrix.claims[0]?.bound).toMatchObject({
    outcome: 'contradicted',
    contradictedBy: ['1.27.9-debian-13: failed'],
  });
  // the runs of one version of Istio do not take each other's place in the history
  expect(await readdir(at('reports', 'history'))).toHaveLength(4);
});

test('what a source binds to versions is held against them', async () => {
  const claims = [
    { id: 'a.new', since: '1.27' },
    { id: 'a.old', until: '1.24' },
    { id: 'a.always', since: '1.9' },
    { id: 'a.wrong', until: '1.24.0' },
    { id: 'a.untold', since: '1.27' },
    { id: 'a.free' },
  ];
  const of = (version: string, verdicts: Claims): Told => ({
    report: reportOf(version, verdicts),
    status: 1,
  });
  const matrix = await made(
    ['1.24.0', '1.27.9', 'master'],
    {
      '1.24.0': of('1.24.0', {
        'a.new': 'failed',
        'a.old': 'passed',
        'a.always': 'passed',
        'a.wrong': 'passed',
        'a.untold': 'blocked',
        'a.free': 'passed',
      }),
      '1.27.9': of('1.27.9', {
        'a.new': 'passed',
        'a.old': 'failed',
        'a.always': 'passed',
        'a.wrong': 'passed',
      }),
      master: of('master', {
        'a.new': 'passed',
        'a.old': 'failed',
        'a.always': 'broken',
        'a.untold': 'not-applicable',
      }),
    },
    { claims },
  );
  expect(Object.fromEntries(matrix.claims.map(({ id, bound }) => [id, bound]))).toEqual({
    'a.always': { since: '1.9', outcome: 'consistent', contradictedBy: [] },
    'a.free': undefined,
    'a.new': { since: '1.27', outcome: 'proved', contradictedBy: [] },
    'a.old': { until: '1.24', outcome: 'proved', contradictedBy: [] },
    'a.untold': { since: '1.27', outcome: 'not-looked-at', contradictedBy: [] },
    'a.wrong': { until: '1.24.0', outcome: 'contradicted', contradictedBy: ['1.27.9: passed'] },
  });
  const page = await readFile(at('reports', 'matrix', 'matrix.md'), 'utf8');
  expect(page).toContain('| `a.wrong` |  | 1.24.0 | contradicted | 1.27.9: passed |');
});
