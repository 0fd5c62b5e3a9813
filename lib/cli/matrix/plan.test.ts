import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporary } from '#lib/base/temporary.ts';
import { catalogue } from '#lib/claims/catalogue.ts';
import { implemented } from '#lib/claims/implemented.ts';
import { plan, refuseUnknown, roomFor } from './plan.ts';

const small = { cores: 2, memoryMiB: 24 * 1024 };
const planned = (words: readonly string[], env: NodeJS.ProcessEnv = {}) =>
  plan(words, env, small, '/reports/matrix');

test('each version runs in a lab of its own, with reports of its own', () => {
  const { runs, words, atOnce } = planned(['1.24.0', 'master', 'suites/04-traffic', '-t', 'traffic.'], {
    LAB_NAME: 'nightly',
  });
  expect(runs.map(({ version, env, folder }) => ({ version, env, folder }))).toEqual([
    {
      version: '1.24.0',
      env: { ISTIO_VERSION: '1.24.0', LAB_NAME: 'nightly-1-24-0', LAB_REPORTS: '/reports/matrix/1.24.0' },
      folder: '1.24.0',
    },
    {
      version: 'master',
      env: { ISTIO_VERSION: 'master', LAB_NAME: 'nightly-master', LAB_REPORTS: '/reports/matrix/master' },
      folder: 'master',
    },
  ]);
  expect(runs.map(({ settings }) => settings.istioRevision)).toEqual(['1-24-0', 'master']);
  expect(words).toEqual(['suites/04-traffic', '-t', 'traffic.']);
  expect(atOnce).toBe(1);
});

test('versions may come as a list in one word', () => {
  expect(planned(['1.24.0 1.27.9,master']).runs.map(({ version }) => version)).toEqual([
    '1.24.0',
    '1.27.9',
    'master',
  ]);
  expect(() => planned([' '])).toThrow('npm run matrix -- <version>');
});

test('each version runs with each system of the VM, which its name tells unless it is the default', () => {
  const called = (...words: string[]) =>
    planned(words).runs.map(({ version, folder, env }) => [
      ...[version, folder, env['LAB_NAME'], env['ISTIO_VERSION'], env['VM_OS']],
    ]);
  const both = [
    ['1.24.0', '1.24.0', 'conformance-1-24-0', '1.24.0', 'debian-12'],
    ['1.24.0-debian-13', '1.24.0-debian-13', 'conformance-1-24-0-d13', '1.24.0', 'debian-13'],
    ['master', 'master', 'conformance-master', 'master', 'debian-12'],
    ['master-debian-13', 'master-debian-13', 'conformance-master-d13', 'master', 'debian-13'],
  ];
  expect(called('1.24.0', 'master', '--vm-os', 'debian-12,debian-13')).toEqual(both);
  expect(called('1.24.0', 'master', '--vm-os', 'debian-12', '--vm-os=debian-13')).toEqual(both);
  // the environment's, when nothing is told
  expect(planned(['1.24.0'], { VM_OS: 'debian-13' }).runs[0]).toMatchObject({ version: '1.24.0-debian-13' });
});

test.each([
  [{ cores: 1, memoryMiB: 2 * 1024 }, 1],
  [{ cores: 2, memoryMiB: 64 * 1024 }, 1],
  [{ cores: 8, memoryMiB: 64 * 1024 }, 4],
  [{ cores: 8, memoryMiB: 17 * 1024 }, 2],
])('%j has room for %d labs', (room, labs) => {
  expect(roomFor(room)).toBe(labs);
});

test('no more run at once than there are, and as many as were asked for', () => {
  const large = { cores: 64, memoryMiB: 512 * 1024 };
  expect(plan(['1.24.0', '1.27.9'], {}, large, '/m').atOnce).toBe(2);
  expect(plan(['1.24.0', '1.27.9', '--at-once', '1'], {}, large, '/m').atOnce).toBe(1);
  expect(planned(['1.24.0', '1.27.9', '--at-once=2']).atOnce).toBe(2);
});

test('manifests are replaced in one version, or in all but those that have their own', async () => {
  await using folder = await temporary();
  for (const one of ['all', 'own']) {
    await mkdir(join(folder.path, one, '05-policy'), { recursive: true });
    await writeFile(join(folder.path, one, '05-policy', 'strict.yaml'), '');
  }
  const [all, own] = [join(folder.path, 'all'), join(folder.path, 'own')];
  const overlays = (...words: string[]) =>
    planned(['1.24.0', '1.27.9', ...words]).runs.map(({ env }) => env['FIXTURES_OVERLAY']);
  expect(overlays('--overlay', `1.27.9=${own}`)).toEqual([undefined, own]);
  expect(overlays('--overlay', all)).toEqual([all, all]);
  expect(overlays('--overlay', `1.27.9=${own}`, '--overlay', all)).toEqual([all, own]);
  expect(() => overlays('--overlay', all, '--overlay', own)).toThrow(
    '1.24.0 has two overlays; it can have one.',
  );
  expect(() => overlays('--overlay', `master=${own}`)).toThrow('is for a version that is not asked for');
  expect(() => overlays('--overlay', '1.27.9=/nowhere')).toThrow('FIXTURES_OVERLAY=/nowhere is no folder.');
});

test.each([
  [[], 'npm run matrix -- <version>'],
  [['1.24'], '1.24 is no version such as 1.27.9, or master'],
  [['1.24.0', '1.24.0'], '1.24.0 is there twice.'],
  [['1.24.0', '--retry', '3'], "'--retry'"],
  [['1.24.0', '--vm-os', 'debian-11'], 'VM_OS must be one of debian-12, debian-13, none; got "debian-11".'],
  [['1.24.0', '--vm-os', 'debian-13,debian-13'], '--vm-os has debian-13 twice.'],
  [['1.24.0', '--vm-os', ','], '--vm-os names no system.'],
  [['1.24.0', '--at-once', '0'], '--at-once must be a whole number from 1, got "0".'],
])('%j is refused by name', (words, why) => {
  expect(() => planned(words)).toThrow(why);
});

test('what does not exist is refused before anything runs', () => {
  const [known, proofs] = [catalogue(), implemented()];
  const asking =
    (...words: string[]) =>
    () => {
      refuseUnknown(planned(['1.24.0', ...words]), known, proofs);
    };
  for (const words of [
    [],
    ['suites/04-traffic'],
    ['-t', 'policy.'],
    ['suites/05-policy', '-t', 'policy.strict'],
  ])
    expect(asking(...words)).not.toThrow();
  expect(asking('-t', 'cluster.nods')).toThrow('No claim of the catalogue fits -t "cluster.nods".');
  expect(asking('-t', '(')).toThrow('-t ( is no pattern: Invalid regular expression');
  expect(asking('suites/04-trafic')).toThrow('No test file fits "suites/04-trafic".');
});

test('a lab whose name becomes too long is refused by name', () => {
  expect(() => planned(['1.24.0'], { LAB_NAME: 'a-name-of-20-letters' })).toThrow(
    'LAB_NAME must be a short DNS label, got "a-name-of-20-letters-1-24-0".',
  );
});
