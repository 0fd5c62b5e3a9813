import Ajv from 'ajv/dist/2020.js';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readJson } from '#lib/base/files.ts';
import { root } from '#lib/base/paths.ts';
import { minutes } from '#lib/base/until.ts';
import type { FalsifyReport } from './falsified.ts';
import { seeded, type Seeded } from './seeded.ts';

const world = `
  const world = (globalThis.world ??= { broken: false });
  const breaks = () => { world.broken = true; return { name: 'the world broken', undo: async () => { world.broken = false; } }; };
`;

const files = {
  '01-cluster/nodes.test.ts': `${world}
    const claim = claims('01-cluster', { layer: 'cluster' });
    claim('cluster.killed', { falsifier: breaks, red: /'broken'/, proof() { expect(world.broken ? 'broken' : 'whole').toBe('whole'); } });
    claim('cluster.survives', { falsifier: breaks, red: /x/, proof() { expect(1).toBe(1); } });
    claim('cluster.without', { proof() { expect(1).toBe(1); } });
    claim('cluster.spared', { unfalsifiable: 'there is one world', proof() { expect(1).toBe(1); } });
    claim('cluster.red', { falsifier: breaks, red: /x/, proof() { expect(1).toBe(2); } });
  `,
  '05-policy/mtls.test.ts': `${world}
    const claim = claims('05-policy', { layer: 'apps' });
    claim('policy.witness', { witness: true, falsifier: breaks, breaks: 'cluster', red: /true/, proof() { expect(world.broken).toBe(false); } });
    claim('policy.absent', { requires: ['istio-proxy-build'], proof() { expect(1).toBe(1); } });
  `,
};

const config = `
  const here = import.meta.dirname;
  export default { test: {
    include: ['suites/falsifiers.ts'],
    reporters: [['./lib/report/falsify-reporter.ts', { output: here + '/reports', claims: here + '/claims' }]],
    env: { CONFORMANCE_FALSIFY: 'yes' },
  } };
`;

let checkout: Seeded;
const reportOf = (): FalsifyReport | undefined =>
  readJson<FalsifyReport>(checkout.path('reports', 'falsify.json'));

beforeAll(async () => {
  checkout = await seeded(files);
  await writeFile(checkout.path('vitest.config.ts'), config);
  await copyFile(join(root, 'suites', 'falsifiers.ts'), checkout.path('suites', 'falsifiers.ts'));
  await mkdir(checkout.path('reports'));
  await writeFile(checkout.path('reports', 'summary.md'), '# The run before\n');
  await writeFile(checkout.path('reports', 'conformance.json'), '{}');
});

afterAll(async () => {
  await checkout[Symbol.asyncDispose]();
});

test(
  'a run that is not all killed ends with 1, and everything is told',
  { timeout: minutes(1) },
  async () => {
    const { code, stdout } = await checkout.run();
    expect(code).toBe(1);
    expect(stdout).toContain('[1/7] cluster.killed');
    expect(stdout).toContain(
      'Falsifiers: 2 of 5 killed, 3 restored; counted apart: 1 unfalsifiable, 1 not applicable',
    );

    const report = reportOf();
    expect(report?.claims.map(({ id, ending, alsoRed }) => [id, ending, ...alsoRed])).toEqual([
      ['cluster.killed', 'killed', 'policy.witness'],
      ['cluster.survives', 'survived', 'policy.witness'],
      ['cluster.without', 'survived'],
      ['cluster.spared', 'unfalsifiable'],
      ['cluster.red', 'not-judged'],
      ['policy.witness', 'killed'],
      ['policy.absent', 'not-applicable'],
    ]);
    expect(report).toMatchObject({ selection: null, witnesses: ['policy.witness'], errors: [] });
    expect(report?.claims[0]).toMatchObject({
      breaks: 'cluster',
      change: 'the world broken',
      restored: true,
    });
    expect(report?.claims[5]).toMatchObject({ breaks: 'cluster' });
    // nothing is recorded of these, so it is the lowest layer on which one is red
    expect(report?.claims.map(({ cause }) => cause?.layer).filter(Boolean)).toEqual(['cluster', 'apps']);
    expect(report?.totals['cause-named']).toBe(1);
    expect(stdout).toContain('The layer that was broken is named as the likely cause of 1 of 2\n');

    const schema = readJson<object>(join(root, 'lib', 'report', 'falsify.schema.json')) ?? {};
    const ajv = new Ajv.Ajv2020({ allErrors: true, strict: false, formats: { 'date-time': true } });
    ajv.validate(schema, report);
    expect(ajv.errors).toBeNull();

    const summary = await readFile(checkout.path('reports', 'summary.md'), 'utf8');
    expect(summary).toMatch(/^# The run before\n\n## Falsifiers\n/);
    expect(summary).toContain('| `cluster.killed` | cluster: the world broken | yes |');
    // what the suites said stays
    expect(await readFile(checkout.path('reports', 'conformance.json'), 'utf8')).toBe('{}');
  },
);

test(
  'claims by their ids: only these, with their bundles, and 0 when they were killed and restored',
  { timeout: minutes(1) },
  async () => {
    const { code, stdout } = await checkout.run(['-t', '(?:^| )(?:cluster\\.killed)$'], {
      CONFORMANCE_BUNDLES: 'yes',
    });
    expect(stdout).toContain('Falsifiers: 1 of 1 killed, 1 restored');
    const folder = checkout.path('reports', 'diagnostics', 'cluster.killed');
    expect(reportOf()).toMatchObject({
      selection: ['cluster.killed'],
      claims: [{ id: 'cluster.killed', bundle: { folder, timeline: 1 } }],
    });
    expect(stdout).toContain('; 1 bundles, the largest 0.0 MiB, the shortest timeline 1 lines');
    const summary = await readFile(checkout.path('reports', 'summary.md'), 'utf8');
    expect(summary.match(/## Falsifiers/g)).toHaveLength(1);
    expect(code).toBe(0);
  },
);
