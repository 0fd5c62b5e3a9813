import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { seeded, type Seeded } from './seeded.ts';

/** The door writes what it is told into a bundle, or cannot. */
const suites = {
  '01-cluster/nodes.test.ts': `
    const claim = claims('01-cluster', { layer: 'cluster' });
    const given = async () => ({
      name: 'a situation',
      // what is put back is put back after the diagnosis
      async undo() { globalThis.undone = (globalThis.undone ?? 0) + 1; },
    });
    claim('cluster.fails', { given, proof() { expect(1).toBe(2); } });
    claim('cluster.breaks', { proof() { throw new Error('out of order'); } });
    claim('cluster.silent', { proof() { expect('silent').toBe('loud'); } });
    claim('cluster.passes', { given, proof() { expect(1).toBe(1); } });
  `,
  '02-istio/blocked.test.ts': `
    const claim = claims('02-istio', { layer: 'istio' });
    claim('istio.blocked', { proof() { expect(1).toBe(1); } });
  `,
};

let checkout: Seeded;
beforeAll(async () => {
  checkout = await seeded(suites);
  await mkdir(checkout.path('reports/diagnostics/cluster.former'), { recursive: true });
  await writeFile(checkout.path('reports/diagnostics/cluster.former/index.txt'), 'of an earlier run');
});
afterAll(async () => {
  await checkout[Symbol.asyncDispose]();
});

test('a claim that failed or broke is diagnosed before it is put back, and every output says where', async () => {
  const { report, stdout, code } = await checkout.run();
  const folder = (id: string): string => checkout.path('reports', 'diagnostics', id);
  const of = (id: string) => report?.claims.find((claim) => claim.id === id);
  expect(code).toBe(1);

  expect(of('cluster.fails')?.diagnostics).toBe(folder('cluster.fails'));
  const told = JSON.parse(await readFile(`${folder('cluster.fails')}/timeline.txt`, 'utf8')) as object;
  expect(told).toMatchObject({ verdict: 'failed', undone: 0 });
  expect(of('cluster.breaks')?.diagnostics).toBe(folder('cluster.breaks'));
  expect(stdout).toContain(`diagnostics ${folder('cluster.breaks')}/`);
  const summary = await readFile(checkout.path('reports', 'summary.md'), 'utf8');
  expect(summary).toContain(`diagnostics: \`${folder('cluster.fails')}/\``);
  const attached = await readdir(checkout.path('reports', 'allure-results'));
  expect(attached).toContainEqual(expect.stringMatching(/cluster\.fails-timeline-attachment\.txt$/));

  // what cannot be diagnosed keeps its verdict, and says why
  expect(of('cluster.silent')).toMatchObject({ verdict: 'failed', seen: 'silent' });
  expect(of('cluster.silent')?.evidence).toEqual([
    { what: 'why there are no diagnostics', value: 'nobody answers' },
  ]);
  for (const id of ['cluster.passes', 'istio.blocked', 'cluster.silent'])
    expect(of(id)).not.toHaveProperty('diagnostics');
  expect(existsSync(folder('cluster.former'))).toBe(false);
});
