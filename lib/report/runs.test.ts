import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { minutes } from '#lib/base/until.ts';
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
      if (process.env.SEEDED?.startsWith('SIG')) {
        process.kill(process.ppid, process.env.SEEDED);
        await new Promise(() => {});
      }
      globalThis.looks = (globalThis.looks ?? 0) + 1;
      expect(globalThis.looks).toBe(process.env.SEEDED === 'second look' ? 2 : 1);
    } });
    claim('policy.absent', { requires: ['istio-proxy-build'], proof() { expect(1).toBe(1); } });
  `,
};

let checkout: Seeded;

// each test is a run of vitest
vi.setConfig({ testTimeout: minutes(2) });
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
  for (const output of await everywhere('cluster.nodes'))
    expect(output).toContain('the lab is not a function');
  expect(code).toBe(1);
});

test('a lab that cannot be cleaned up makes the run red', async () => {
  const { code, stderr, report } = await checkout.run(['-t', 'cluster.nodes'], { SEEDED: 'stuck' });
  expect(report?.totals).toMatchObject({ passed: 1 });
  expect(stderr).toContain('the lab did not end');
  expect(code).toBe(1);
});

test.each([
  ['SIGINT', 130],
  ['SIGTERM', 143],
])(
  'a run that is interrupted (%s) says so of each claim that was not looked at to its end',
  async (signal, status) => {
    const { code, report, stdout } = await checkout.run([], { SEEDED: signal });
    expect(report?.totals).toMatchObject({ passed: 2, broken: 2, 'not-implemented': 1 });
    const told = await everywhere('policy.strict');
    for (const output of told) expect(output).toContain(`The run was interrupted (${signal}).`);
    expect(stdout).toContain(`Outside of any claim: The run was interrupted (${signal}).`);
    expect(code).toBe(status);
  },
);

test('a run that is killed leaves no report but that it did not come to its end', async () => {
  // nobody is left to tell the status
  await checkout.run([], { SEEDED: 'SIGKILL' }).catch(() => undefined);
  const told = await everywhere('cluster.nodes');
  for (const output of told) expect(output).toContain('The run did not come to its end.');
});

test('nobody can have a claim looked at until it passes', async () => {
  const { code, report } = await checkout.run(['--retry', '3', 'suites/05-policy'], {
    SEEDED: 'second look',
  });
  expect(report?.claims.find(({ id }) => id === 'policy.strict')).toMatchObject({
    verdict: 'failed',
    reason: expect.stringContaining('expected 1 to be 2') as string,
  });
  expect(code).toBe(1);
});

/** What each output says of a claim. */
async function everywhere(id: string): Promise<string[]> {
  const read = async (...parts: string[]): Promise<string> =>
    readFile(checkout.path('reports', ...parts), 'utf8');
  const part = (text: string, start: string, end: string): string => {
    const from = text.indexOf(start);
    return from < 0 ? '' : text.slice(from, text.indexOf(end, from));
  };
  const { claims } = JSON.parse(await read('conformance.json')) as { claims: { id: string }[] };
  return [
    JSON.stringify(claims.find((claim) => claim.id === id)),
    part(await read('junit.xml'), `name="${id}"`, '</testcase>'),
    part(await read('summary.md'), `- \`${id}\``, '\n'),
    part(await read('index.html'), `id="claim-${id}"`, '</details>'),
    await read('allure-results', `${id}-result.json`),
  ];
}

test('what vitest lets pass can still be red: a claim that two files prove', async () => {
  const again = await readFile(checkout.path('suites', '01-cluster', 'nodes.test.ts'));
  await writeFile(checkout.path('suites', '01-cluster', 'nodes-again.test.ts'), again);
  const { code, report } = await checkout.run(['suites/01-cluster']);
  expect(report?.totals).toMatchObject({ passed: 0, broken: 2 });
  expect(code).toBe(1);
});
