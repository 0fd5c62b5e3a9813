import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run as runHere, type Run } from '#lib/base/command.ts';
import { temporary } from '#lib/base/temporary.ts';
import { diff } from '#lib/report/diff.ts';
import type { Night } from '#lib/report/nights.ts';
import { sampleRun } from '#lib/report/sample-run.ts';
import { tell, tellingOf } from './issue.ts';

/** Stands in for gh: keeps issues in a file, and refuses what gh would refuse. */
const standIn = `#!${process.execPath}
const { existsSync, readFileSync, writeFileSync } = require('node:fs');
const file = __dirname + '/issues.json';
const state = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : { labels: [], issues: [] };
const [subject, verb, ...words] = process.argv.slice(2);
const flag = (name) => words[words.indexOf(name) + 1];
const body = () => (flag('--body-file') === '-' ? readFileSync(0, 'utf8') : process.exit(3));
const call = subject + ' ' + verb;
if (call === 'issue list') {
  const found = state.issues.filter((one) => one.labels.includes(flag('--label')) && one.state === flag('--state'));
  const fields = flag('--json').split(',');
  console.log(JSON.stringify(found.map((one) => Object.fromEntries(fields.map((field) => [field, one[field]])))));
} else if (call === 'label create') {
  if (!words.includes('--force') && state.labels.includes(words[0])) process.exit(1);
  state.labels.push(words[0]);
} else if (call === 'issue create') {
  if (!state.labels.includes(flag('--label'))) { console.error('could not add label: not found'); process.exit(1); }
  const number = state.issues.length + 1;
  state.issues.push({ number, title: flag('--title'), labels: [flag('--label')], state: 'open', body: body(), comments: [] });
  console.log('https://example.org/issues/' + number);
} else if (call === 'issue comment') {
  state.issues.find(({ number }) => number === Number(words[0])).comments.push({ body: body() });
} else { console.error('unknown command ' + call); process.exit(1); }
writeFileSync(file, JSON.stringify(state));
`;

interface Kept {
  issues: { number: number; title: string; state: string; body: string; comments: { body: string }[] }[];
}

let folder: Awaited<ReturnType<typeof temporary>>;
let run: Run;

beforeEach(async () => {
  folder = await temporary();
  const gh = join(folder.path, 'gh');
  await writeFile(gh, standIn);
  await chmod(gh, 0o755);
  await writeFile(join(folder.path, 'package.json'), '{ "type": "commonjs" }');
  run = async (words, options) =>
    runHere(words, { ...options, env: { PATH: `${folder.path}:${process.env['PATH'] ?? ''}` } });
});

afterEach(async () => folder[Symbol.asyncDispose]());

type Claims = Parameters<typeof sampleRun>[0];

const night = (version: string, was: Claims, is: Claims): Night => ({
  version,
  since: diff(
    { name: 'the night before', report: sampleRun(was) },
    { name: 'tonight', report: sampleRun(is) },
  ),
  said: null,
});

const issues = async (): Promise<Kept['issues']> =>
  (JSON.parse(await readFile(join(folder.path, 'issues.json'), 'utf8')) as Kept).issues;

const well: Claims = { 'a.one': 'passed', 'a.two': 'passed' };

test('a regression opens an issue, one for each version, and is not told twice', async () => {
  const nights = [
    night('1.27.9', well, { ...well, 'a.one': 'failed' }),
    night('1.27.90', well, { 'a.one': 'failed', 'a.two': 'broken' }),
    night('master', well, well),
  ];
  expect(await tell(nights, run)).toEqual([
    'Istio 1.27.9: opened https://example.org/issues/1.',
    'Istio 1.27.90: opened https://example.org/issues/2.',
  ]);
  expect(await tell(nights, run)).toEqual([
    'Istio 1.27.9: all of it stands in issue 1.',
    'Istio 1.27.90: all of it stands in issue 2.',
  ]);
  expect((await issues()).map(({ title, comments }) => [title, comments.length])).toEqual([
    ['Nightly, Istio 1.27.9: a.one', 0],
    ['Nightly, Istio 1.27.90: 2 regressions', 0],
  ]);
  expect((await issues())[0]?.body).toContain(
    '- `a.one`: passed → failed: it was not so <!-- nightly 1.27.9 a.one -->\n',
  );
});

test('what is new goes to the issue that is open, and a closed one is over', async () => {
  const one = night('master', well, { ...well, 'a.one': 'failed' });
  const two = night('master', well, { 'a.one': 'failed', 'a.two': 'failed' });
  await tell([one], run);
  expect(await tell([two], run)).toEqual(['Istio master: issue 1 now says what is new.']);
  expect(await tell([two], run)).toEqual(['Istio master: all of it stands in issue 1.']);
  const [first] = await issues();
  expect(first?.comments).toHaveLength(1);
  expect(first?.comments[0]?.body).toContain('`a.two`');
  expect(first?.comments[0]?.body).not.toContain('`a.one`');

  const state = JSON.parse(await readFile(join(folder.path, 'issues.json'), 'utf8')) as Kept;
  await writeFile(
    join(folder.path, 'issues.json'),
    JSON.stringify({ ...state, issues: state.issues.map((issue) => ({ ...issue, state: 'closed' })) }),
  );
  expect(await tell([one], run)).toEqual(['Istio master: opened https://example.org/issues/2.']);
});

test('what GitHub has no room for in one text is told the next night', async () => {
  const ids = Array.from({ length: 900 }, (_, i) => `a.${String(i).padStart(3, '0')}-${'x'.repeat(60)}`);
  const all = (verdict: 'passed' | 'failed'): Claims => Object.fromEntries(ids.map((id) => [id, verdict]));
  const nights = [night('master', all('passed'), all('failed'))];

  await tell(nights, run);
  const [first] = await issues();
  expect(first?.body.length).toBeLessThan(65_536);
  expect(first?.body).toMatch(/- and \d+ more; the reports of the run have all of them\.\n$/);

  expect(await tell(nights, run)).toEqual(['Istio master: issue 1 now says what is new.']);
  const told = (await issues()).flatMap(({ body, comments }) => [body, ...comments.map((one) => one.body)]);
  expect(ids.filter((id) => !told.join('\n').includes(id)).length).toBeLessThan(300);
});

test('a version without a report is told, by what it said', async () => {
  const lost: Night = { version: 'master', since: null, said: 'no such version' };
  expect(await tell([lost], run)).toEqual(['Istio master: opened https://example.org/issues/1.']);
  expect((await issues())[0]).toMatchObject({
    title: 'Nightly, Istio master: no-report',
    body: '- Its run left no report: no such version <!-- nightly master no-report -->\n',
  });
});

test('when nothing got worse gh is not asked', async () => {
  const nobody: Run = async (words) => Promise.reject(new Error(words.join(' ')));
  expect(await tell([night('master', well, well)], nobody)).toEqual([
    'Nothing got worse, so there is nothing to tell.',
  ]);
  expect(tellingOf(night('master', well, well))).toBeUndefined();
});

test('what gh refuses ends it', async () => {
  await writeFile(join(folder.path, 'issues.json'), '{');
  await expect(tell([night('master', well, { 'a.one': 'failed' })], run)).rejects.toThrow('gh issue list');
});
