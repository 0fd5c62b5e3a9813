import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { attempt, type Output } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { readJson } from '#lib/base/files.ts';
import { root } from '#lib/base/paths.ts';
import type { Conformance } from './conformance.ts';

/** A small checkout with suites of its own against a lab that is made up: for the tests of the verdict. */
export interface Seeded extends AsyncDisposable {
  /** Runs vitest in it. */
  run(
    words?: readonly string[],
    env?: Record<string, string>,
  ): Promise<Output & { report: Conformance | undefined }>;
  path(...parts: string[]): string;
}

const ids = /claim\('([^']+)'/g;

/** A lab with one feature, on which every layer comes up but `istio`, and one needs a feature that it lacks. */
const door = `
  import { mkdirSync, writeFileSync } from 'node:fs';
  import { LackingError } from '#lib/base/errors.ts';
  import { declaring } from '#lib/claims/declare.ts';
  const door = {
    async provision(layer) {
      if (layer === 'istio') throw new Error('istiod-1-0-0 is not ready.');
      if (layer === 'workload-of-none') throw new LackingError('vm', 'it was asked for without one.');
    },
    async attach() { return { features: new Set(['k3s']) }; },
    async diagnose({ id, verdict }) {
      if (id.endsWith('.silent')) throw new Error('nobody answers');
      const folder = new URL('./reports/diagnostics/' + id, import.meta.url).pathname;
      mkdirSync(folder, { recursive: true });
      writeFileSync(folder + '/timeline.txt', JSON.stringify({ verdict, undone: globalThis.undone ?? 0 }));
      return folder;
    },
  };
  export const claims = declaring(door, new URL('./claims', import.meta.url).pathname);
`;

const config = `
  const suites = ['01-cluster', '02-istio', '03-vm', '04-traffic', '05-policy'];
  const here = import.meta.dirname;
  export default { test: {
    globalSetup: './global-setup.ts',
    reporters: [['./lib/report/reporter.ts', { output: here + '/reports', claims: here + '/claims', html: Boolean(process.env.HTML), beat: 300 }]],
    projects: suites.map((name, place) => ({ test: {
      name, include: ['suites/' + name + '/**/*.test.ts'], sequence: { groupOrder: place },
      pool: 'forks', isolate: false, fileParallelism: false, maxWorkers: 1, expect: { requireAssertions: true },
    } })),
  } };
`;

const globalSetup = `
  class RefusedError extends Error { name = 'RefusedError'; }
  export default () => {
    if (process.env.SEEDED === 'refuse') throw new RefusedError('EWG_PORT_STATUS must be a whole number, got "x".');
    if (process.env.SEEDED === 'throw') throw new TypeError('the lab is not a function');
    return () => { if (process.env.SEEDED === 'stuck') throw new Error('the lab did not end'); };
  };
`;

/**
 * Makes a seeded checkout.
 *
 * @param suites the text of each suite file, without its head, by path below suites/
 * @param unimplemented ids that are in the catalogue although no file declares them
 */
export async function seeded(
  suites: Readonly<Record<string, string>>,
  unimplemented: readonly string[] = [],
): Promise<Seeded> {
  const folder = await mkdtemp(join(tmpdir(), 'seeded-'));
  const path = (...parts: string[]): string => join(folder, ...parts);
  const file = async (name: string, content: string): Promise<void> => {
    await mkdir(dirname(path(name)), { recursive: true });
    await writeFile(path(name), content);
  };
  await file('package.json', JSON.stringify({ type: 'module', imports: { '#lib/*': './lib/*' } }));
  await symlink(join(root, 'lib'), path('lib'));
  await symlink(join(root, 'node_modules'), path('node_modules'));
  await file('vitest.config.ts', config);
  await file('global-setup.ts', globalSetup);
  await file('door.ts', door);
  await file(
    'claims/sources.yaml',
    'guide: { title: A guide, url: https://example.org/guide, sections: [the part on it] }\n',
  );

  const listed = new Map<string, string[]>();
  for (const [name, body] of Object.entries(suites)) {
    await file(
      `suites/${name}`,
      `import { beforeAll, expect } from 'vitest';\nimport { claims } from '../../door.ts';\n${body}`,
    );
    const suite = name.split('/')[0] ?? '';
    listed.set(suite, [
      ...(listed.get(suite) ?? []),
      ...[...body.matchAll(ids)].map((match) => match[1] ?? ''),
    ]);
  }
  listed.set('01-cluster', [...(listed.get('01-cluster') ?? []), ...unimplemented]);
  for (const [suite, found] of listed) {
    const known = found.filter((id) => !id.includes('unknown'));
    await file(`claims/${suite}.yaml`, JSON.stringify(known.map(entry)));
  }

  return {
    path,
    async run(words = [], env = {}) {
      const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
      const output = await attempt([process.execPath, vitest, 'run', ...words], {
        cwd: folder,
        within: ours.packing,
        env: { ...outOfVitest, LAB_CACHE: path('cache'), NO_COLOR: '1', ...env },
      });
      return { ...output, report: readJson<Conformance>(path('reports', 'conformance.json')) };
    },
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** What vitest tells its workers must not reach the vitest that a worker starts. */
const outOfVitest = Object.fromEntries(
  Object.keys(process.env)
    .filter((name) => name.startsWith('VITEST') || ['TEST', 'NODE_ENV', 'FORCE_TTY'].includes(name))
    .map((name) => [name, undefined]),
);

const entry = (id: string) => ({
  id,
  statement: `The statement of ${id}.`,
  sources: [{ source: 'guide', section: 'the part on it' }],
  how: ['look'],
  falsifier: 'break it',
  versions: ['1.20.0'],
  needs: ['shell'],
  class: 'core',
  origin: 'stated',
  assessment: 'expected',
  portable: true,
});
