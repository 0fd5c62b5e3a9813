import Ajv from 'ajv/dist/2020.js';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Output } from '#lib/base/command.ts';
import { readJson } from '#lib/base/files.ts';
import { root } from '#lib/base/paths.ts';
import { minutes } from '#lib/base/until.ts';
import type { Conformance } from './conformance.ts';
import { seeded, type Seeded } from './seeded.ts';

// typed, because vitest's own are any
const containing = (text: string): unknown => expect.stringContaining(text);
const withAll = (list: unknown[]): unknown => expect.arrayContaining(list);

const token = `eyJhbGciOiJSUzI1NiJ9.${'eyJzdWIiOiJ2bSJ9'.repeat(2)}.c2lnbmF0dXJl`;

const everything = {
  '01-cluster/verdicts.test.ts': `
    const claim = claims('01-cluster', { layer: 'cluster' });
    claim('cluster.green', { looksAt: 'repository', proof(lab, seen) { expect(seen('the nodes', ['a', 'b'])).toHaveLength(2); } });
    claim('cluster.red', { proof() { expect({ version: '1.2' }).toEqual({ version: '1.3' }); } });
    claim('cluster.soft', { proof() { expect.soft(1).toBe(2); } });
    claim('cluster.broken', { proof() { throw new Error('no answer, with Bearer ${token}'); } });
    claim('cluster.empty', { proof() {} });
    claim('cluster.absent', { requires: ['multipass'], proof() { expect(1).toBe(1); } });
    claim('cluster.not-seen', { async proof() {
      const { until } = await import('#lib/base/until.ts');
      expect(await until('three nodes', async () => 2, (n) => n === 3, { within: 50, every: 10 })).toBe(3);
    } });
    claim('cluster.late', { within: 700, async proof() { expect(1).toBe(1); await new Promise(() => {}); } });
    claim('cluster.secret', { proof(lab, seen) { expect(seen('the token', '${token}')).toBe('other'); } });
    claim('cluster.given', {
      given: async () => { globalThis.made = true; return { name: 'it', undo: async () => { globalThis.made = false; } }; },
      proof() { expect(globalThis.made).toBe(true); },
    });
    claim('cluster.undone', { proof() { expect(globalThis.made).toBe(false); } });
    claim('cluster.given-fails', { given: () => { throw new Error('conflict'); }, proof() { expect(1).toBe(1); } });
    claim('cluster.sticky', {
      given: () => ({ name: 'a policy', undo: async () => { throw new Error('still there'); } }),
      proof() { expect(1).toBe(1); },
    });
    claim('cluster.after-sticky', { proof() { expect(1).toBe(1); } });
  `,
  '02-istio/blocked.test.ts': `
    const claim = claims('02-istio', { layer: 'istio' });
    claim('istio.one', { proof() { expect(1).toBe(1); } });
    claim('istio.two', { proof() { expect(1).toBe(1); } });
  `,
  '03-vm/dies.test.ts': `
    const claim = claims('03-vm', { layer: 'workload' });
    claim('vm.dies', { proof() { process.kill(process.pid, 'SIGKILL'); } });
    claim('vm.after-death', { proof() { expect(1).toBe(1); } });
  `,
  '04-traffic/a-hook.test.ts': `
    const claim = claims('04-traffic', { layer: 'apps' });
    beforeAll(() => { throw new Error('the hook of the file'); });
    claim('traffic.hooked', { proof() { expect(1).toBe(1); } });
  `,
  '04-traffic/b-healthy.test.ts': `
    const claim = claims('04-traffic', { layer: 'apps' });
    claim('traffic.green', { proof() { expect(1).toBe(1); } });
  `,
  '04-traffic/c-lacking.test.ts': `
    const claim = claims('04-traffic', { layer: 'workload-of-none' });
    claim('traffic.lacking', { proof() { expect(1).toBe(1); } });
  `,
  '05-policy/unknown.test.ts': `
    const claim = claims('05-policy', { layer: 'apps' });
    claim('policy.known', { proof() { expect(1).toBe(1); } });
    claim('policy.unknown-knwn', { proof() { expect(1).toBe(1); } });
  `,
};

describe('a run in which everything goes wrong once', () => {
  let checkout: Seeded;
  let output: Output;
  let report: Conformance;
  const claim = (id: string) => report.claims.find((one) => one.id === id);
  const verdicts = () => Object.fromEntries(report.claims.map(({ id, verdict }) => [id, verdict]));

  beforeAll(async () => {
    checkout = await seeded(everything, ['cluster.unwritten']);
    const ran = await checkout.run([], { HTML: '1' });
    output = ran;
    if (!ran.report) throw new Error(`No report.\n${ran.stdout}\n${ran.stderr}`);
    report = ran.report;
  }, minutes(2));

  afterAll(async () => {
    await checkout[Symbol.asyncDispose]();
  });

  test('every claim of the catalogue has the verdict that it deserves', () => {
    expect(verdicts()).toEqual({
      'cluster.absent': 'not-applicable',
      'cluster.after-sticky': 'blocked',
      'cluster.broken': 'broken',
      'cluster.empty': 'broken',
      'cluster.given': 'passed',
      'cluster.given-fails': 'broken',
      'cluster.green': 'passed',
      'cluster.late': 'broken',
      'cluster.not-seen': 'failed',
      'cluster.red': 'failed',
      'cluster.secret': 'failed',
      'cluster.soft': 'failed',
      'cluster.sticky': 'broken',
      'cluster.undone': 'passed',
      'cluster.unwritten': 'not-implemented',
      'istio.one': 'blocked',
      'istio.two': 'blocked',
      'policy.known': 'broken',
      'traffic.green': 'passed',
      'traffic.hooked': 'broken',
      'traffic.lacking': 'not-applicable',
      'vm.after-death': 'broken',
      'vm.dies': 'broken',
    });
    expect(output.code).toBe(1);
  });

  test('and the reason', () => {
    const reasons = Object.fromEntries(report.claims.map(({ id, reason }) => [id, reason]));
    expect(reasons).toMatchObject({
      'cluster.absent': 'Needs multipass: this lab does not have it.',
      'cluster.after-sticky':
        'Layer cluster is not up, so this claim was not looked at: cluster.sticky left a policy behind: still there',
      'cluster.empty': 'The proof of cluster.empty expected nothing, so it proves nothing.',
      'cluster.given-fails': 'The situation that cluster.given-fails speaks of could not be made: conflict',
      'cluster.late': 'cluster.late came to no end within 0.7 s.',
      'cluster.not-seen': containing('Timed out after 0.05 s waiting for: three nodes.'),
      'cluster.sticky': 'cluster.sticky left a policy behind: still there',
      'istio.one': 'Layer istio is not up, so this claim was not looked at: istiod-1-0-0 is not ready.',
      'policy.known': containing('The catalogue has no claim policy.unknown-knwn. Near it: policy.known'),
      'traffic.hooked': containing('the hook of the file'),
      'traffic.lacking': 'Needs vm: it was asked for without one.',
      'vm.dies': containing('Worker'),
    });
    expect(claim('cluster.red')).toMatchObject({
      expected: containing('"version": "1.3"'),
      seen: containing('"version": "1.2"'),
    });
    expect(claim('cluster.not-seen')).toMatchObject({ seen: '2', waits: [{ what: 'three nodes' }] });
    expect(claim('cluster.red')).toMatchObject({ waits: [] });
    expect(claim('cluster.absent')).toMatchObject({ feature: 'multipass' });
    expect(claim('istio.one')).toMatchObject({ blockedBy: 'istio', layer: 'istio' });
    expect(claim('cluster.green')).toMatchObject({
      looksAt: 'repository',
      evidence: [{ what: 'the nodes', value: JSON.stringify(['a', 'b'], undefined, 2) }],
      rerun: 'npx vitest run -t cluster.green',
    });
    // a busy machine tells of a lost worker late
    expect(report.errors.toSorted()).toEqual([
      containing('Worker'),
      'suites/04-traffic/a-hook.test.ts: the hook of the file',
      containing('suites/05-policy/unknown.test.ts: The catalogue has no claim policy.unknown-knwn.'),
    ]);
  });

  test('conformance.json keeps its contract, and the totals add up', () => {
    const schema = readJson<object>(join(root, 'lib', 'report', 'conformance.schema.json')) ?? {};
    const ajv = new Ajv.Ajv2020({ allErrors: true });
    const valid = ajv.validate(schema, report);
    expect(ajv.errors).toBeNull();
    expect(valid).toBe(true);
    expect(report.totals).toEqual({
      passed: 4,
      failed: 4,
      broken: 9,
      blocked: 3,
      'not-applicable': 2,
      'not-implemented': 1,
    });
    expect(readdirSync(checkout.path('reports', 'history'))).toContainEqual(
      expect.stringMatching(/^conformance-.*\.json$/),
    );
  });

  test('the console shows layers, claims, failures and the sum', () => {
    expect(output.stdout).toMatch(/01-cluster · cluster\n {2}✓ cluster\.green {2}\d/);
    expect(output.stdout).toMatch(/✗ cluster\.red {2}failed/);
    expect(output.stdout).toMatch(/… cluster\.late still running, \d s of at most 1 s/);
    expect(output.stdout).toContain('again     npx vitest run -t cluster.red');
    expect(output.stdout).toContain('source    guide, "the part on it"');
    expect(output.stdout).toContain('■ 2 blocked: Layer istio is not up');
    expect(output.stdout).toContain('○ 1 not applicable: this lab has no multipass\n  cluster.absent');
    const sum = '23 claims: 4 passed, 4 failed, 9 broken, 3 blocked, 2 not-applicable, 1 not-implemented';
    expect(output.stdout).toContain(sum);
    const page = readFileSync(checkout.path('reports', 'summary.md'), 'utf8');
    expect(page).toContain(sum);
    expect(page).toContain(
      '1 of all these look at this repository alone, whatever lab stands: `cluster.green`.',
    );
  });

  test('junit.xml has a testcase for each claim, with failures, errors and skips told apart', () => {
    const xml = readFileSync(checkout.path('reports', 'junit.xml'), 'utf8');
    expect(xml).toMatch(/<testsuites name="conformance" tests="23" failures="4" errors="12" skipped="3"/);
    expect(xml).toMatch(/<testsuite name="02-istio" [^>]*tests="2" failures="0" errors="2" skipped="0"/);
    expect(xml).toMatch(/name="cluster\.soft"[^>]*>\s*<failure type="failed" message="expected 1 to be 2/);
    expect(xml).toMatch(/name="istio\.one"[^>]*>\s*<error type="blocked"/);
    expect(xml).toMatch(
      /name="cluster\.unwritten"[^>]*>\s*<skipped type="not-implemented" message="No suite proves it yet."/,
    );
  });

  test('Allure has one result for each claim, known by its id, and a report that opens', () => {
    const folder = checkout.path('reports', 'allure-results');
    const files = readdirSync(folder).filter((file) => file.endsWith('-result.json'));
    const allure = files.map(
      (file) => JSON.parse(readFileSync(join(folder, file), 'utf8')) as Record<string, unknown>,
    );
    expect(Object.fromEntries(allure.map(({ historyId, status }) => [historyId, status]))).toEqual(
      Object.fromEntries(report.claims.map(({ id, verdict }) => [id, allureStatus[verdict]])),
    );
    const green = allure.find(({ name }) => name === 'cluster.green');
    expect(green).toMatchObject({
      testCaseId: 'cluster.green',
      attachments: [{ name: 'the nodes', type: 'text/plain' }],
      links: [{ url: 'https://example.org/guide' }],
      labels: withAll([
        { name: 'suite', value: '01-cluster' },
        { name: 'layer', value: 'cluster' },
        { name: 'severity', value: 'critical' },
      ]),
    });
    // what allure-vitest saw inside the proof
    expect(green?.['steps']).not.toEqual([]);
    expect(readFileSync(checkout.path('reports', 'allure-report', 'index.html'), 'utf8')).toContain(
      '<!DOCTYPE html>',
    );
    expect(existsSync(checkout.path('reports', '.allure-raw'))).toBe(false);
  });

  test('no output shows a token', () => {
    const files = readdirSync(checkout.path('reports'), { recursive: true, withFileTypes: true }).filter(
      (file) => file.isFile(),
    );
    const telling = files.filter((file) =>
      readFileSync(join(file.parentPath, file.name), 'utf8').includes(token),
    );
    expect(files.length).toBeGreaterThan(25);
    expect(telling.map(({ name }) => name)).toEqual([]);
    expect(output.stdout + output.stderr).not.toContain(token);
    expect(claim('cluster.secret')).toMatchObject({ seen: '(token withheld)' });
  });
});

const allureStatus: Readonly<Record<string, string>> = {
  passed: 'passed',
  failed: 'failed',
  broken: 'broken',
  blocked: 'broken',
  'not-applicable': 'skipped',
  'not-implemented': 'skipped',
};
