import { expect, test } from 'vitest';
import type { Run } from '#lib/base/command.ts';
import { goBuild } from './go.ts';

test.each([
  ['the machines of a lab, which have Linux', {}, 'linux', undefined],
  ['those of arm64', { architecture: 'arm64' }, 'linux', 'arm64'],
  ['this host, whatever it is', { onHost: true }, undefined, undefined],
] as const)('programs are built for %s', async (_, how, system, architecture) => {
  const environments: unknown[] = [];
  const run: Run = async (_words, { env = {} } = {}) => {
    environments.push([env['GOOS'], env['GOARCH']]);
    return Promise.resolve({ stdout: '', stderr: '', code: 0, ms: 1 });
  };
  const one = { folder: 'artifacts/none', programs: { kubectl: 'example.com/cmd/kubectl' }, ...how };
  await goBuild(one, '/none', () => undefined, run);
  expect(environments).toEqual([
    [system, architecture],
    [system, architecture],
  ]);
});
