import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { seeded, type Seeded } from './seeded.ts';

const good = {
  '01-cluster/nodes.test.ts': `
    const claim = claims('01-cluster', { layer: 'cluster' });
    claim('cluster.nodes', { proof() { expect(1).toBe(1); } });
    claim('cluster.nodes-ready', { proof() { expect(1).toBe(1); } });
  `,
  '05-policy/mtls.test.ts': `
    const claim = claims('05-policy', { layer: 'apps' });
    claim('policy.strict', { async proof() {
      if (process.env.SEEDED === 'interrupt') { process.kill(process.ppid, 'SIGTERM'); await new Promise(() => {}); }
      expect(1).toBe(1);
    } });
    claim('policy.absent', { requires: ['istio-proxy-build'], proof() { expect(1).toBe(1); } });
  `,
};

let checkout: Seeded;
const former = '{ "former": true }';

beforeAll(async () => {
  checkout = await seeded(good, ['cluster.unwritten']);
  await mkdir(checkout.path('reports'));
});

beforeEach(async () => {
  await writeFile(checkout.path('reports', 'conformance.json'), former);
});

afterAll(async () => {
  await checkout[Symbol.asyncDispose]();
});

test('nothing but passed, absent and not implemented: status 0', async () => {
  const { code, report, stdout } = await checkout.run();
  expect(stdout).toContain(
    '5 claims: 3 passed, 0 failed, 0 broken, 0 blocked, 1 not-applicable, 1 not-implemented',
  );
  expect(report).toMatchObject({ selection: null, errors: [] });
  expect(code).toBe(0);
});

test('an id means that claim alone, and the rest is not selected', async () => {
  const { code, report, stdout } = await checkout.run(['-t', 'cluster.nodes']);
  expect(report?.totals).toMatchObject({ passed: 1, 'not-implemented': 0, 'not-selected': 4 });
  expect(report?.claims.filter(({ verdict }) => verdict === 'passed').map(({ id }) => id)).toEqual([
    'cluster.nodes',
  ]);
  expect(report?.selection).toEqual({ filters: [], pattern: 'cluster.nodes' });
  expect(stdout).toContain('Asked for: -t cluster.nodes');
  expect(stdout).not.toContain('cluster.nodes-ready');
  expect(code).toBe(0);
});

test.each([
  [['-t', 'cluster.nods'], 'No claim of the catalogue fits -t "cluster.nods". Near it: cluster.nodes, '],
  [['suites/04-trafic'], 'No test file fits "suites/04-trafic". Near it: '],
])(
  '%j is refused in a sentence, with status 2, and leaves the former report alone',
  async (words, sentence) => {
    const { code, stderr, stdout } = await checkout.run(words);
    expect(stderr.trim()).toMatch(/^.*$/);
    expect(stderr).toContain(sentence);
    expect(stdout.trim()).toBe('');
    expect(code).toBe(2);
    expect(await readFile(checkout.path('reports', 'conformance.json'), 'utf8')).toBe(former);
    expect(existsSync(checkout.path('reports', '.allure-raw'))).toBe(false);
  },
);

test('what globalSetup refuses is one sentence and status 2', async () => {
  const { code, stderr } = await checkout.run([], { SEEDED: 'refuse' });
  expect(stderr.trim()).toBe('EWG_PORT_STATUS must be a whole number, got "x".');
  expect(code).toBe(2);
  expect(await readFile(checkout.path('reports', 'conformance.json'), 'utf8')).toBe(former);
});

test('when globalSetup throws, every claim is broken and says why', async () => {
  const { code, report } = await checkout.run([], { SEEDED: 'throw' });
  expect(report?.totals).toMatchObject({ passed: 0, broken: 4, 'not-implemented': 1 });
  expect(report?.claims[0]?.reason).toContain('the lab is not a function');
  expect(code).toBe(1);
});

test('a lab that cannot be cleaned up makes the run red', async () => {
  const { code, stderr, report } = await checkout.run(['-t', 'cluster.nodes'], { SEEDED: 'stuck' });
  expect(report?.totals).toMatchObject({ passed: 1 });
  expect(stderr).toContain('the lab did not end');
  expect(code).toBe(1);
});

test('a run that is interrupted leaves no report, least of all that of another run', async () => {
  const { code, report } = await checkout.run(['suites/05-policy'], { SEEDED: 'interrupt' });
  expect(report).toBeUndefined();
  expect(code).toBe(143);
});

test('what vitest lets pass can still be red: a claim that two files prove', async () => {
  const again = await readFile(checkout.path('suites', '01-cluster', 'nodes.test.ts'));
  await writeFile(checkout.path('suites', '01-cluster', 'nodes-again.test.ts'), again);
  const { code, report } = await checkout.run(['suites/01-cluster']);
  expect(report?.totals).toMatchObject({ passed: 0, broken: 2 });
  expect(code).toBe(1);
});
