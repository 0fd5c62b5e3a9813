import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { attempt } from '#lib/base/command.ts';
import { LackingError, RefusedError } from '#lib/base/errors.ts';
import { writeAtomic } from '#lib/base/files.ts';
import { settings as readSettings } from '#lib/base/settings.ts';
import { temporary } from '#lib/base/temporary.ts';
import { labOf, type Lab, type Programs } from '#lib/layers/lab.ts';
import { controlPlane } from '#lib/layers/istio.ts';
import { existingSettings } from '#lib/machines/existing/settings.ts';
import { bystander } from '#lib/probes/bystander.ts';
import { ownerName } from './marks.ts';
import { keepRecord } from './record.ts';
import { refuseUnfitVm } from './vm.ts';

let folder: Awaited<ReturnType<typeof temporary>>;
beforeAll(async () => {
  folder = await temporary();
});
afterAll(async () => folder[Symbol.asyncDispose]());

/** A lab on a cluster and a VM that nobody asks anything; kubectl and istioctl are programs that tell their words. */
async function lab(env: Record<string, string> = {}): Promise<Lab> {
  const dir = join(folder.path, String(Object.values(env)));
  await mkdir(dir, { recursive: true });
  for (const name of ['kubectl', 'istioctl'])
    await writeAtomic(join(dir, name), '#!/bin/sh\necho "ran $*"\n', 0o755);
  const settings = existingSettings({ EXISTING_VM: 'me@vm', ...env });
  await keepRecord(dir, { lab: 'mine', vmName: 'vm', architecture: 'arm64', before: [], settings });
  const programs = { kubernetes: dir, istio: dir, sidecarPackage: 'x.deb', istioProxyBuild: false };
  return labOf(readSettings({}), { name: 'mine', dir, init: { pid: 0, started: '' } }, programs as Programs);
}

/** The feature that is missing when something is reached for. */
async function lacked(work: () => unknown): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    return error instanceof LackingError ? error.feature : String(error);
  }
}

test('what such a lab has not is missed by name, never taken for something else', async () => {
  const one = await lab();
  expect([...one.features].toSorted()).toEqual(['arm64-vm', 'own-mesh', 'vm']);
  const reached: [string, () => unknown][] = [
    ['node-access', () => one.nodes],
    ['own-network', () => one.local],
    ['bystander', () => one.network],
    ['bystander', async () => one.bystander(['true'])],
    ['bystander', async () => bystander(one).attempt(['true'])],
    ['own-vm', async () => one.vm.stop()],
    ['own-vm', async () => one.vm.anew()],
    ['own-vm', async () => one.vm.remove()],
    ['own-vm', () => one.programs.vm.base],
    ['lab-artifacts', () => one.programs.forNodes],
    ['lab-artifacts', () => one.programs.arm64],
    ['own-cluster', async () => one.kubectl(['label', 'node', 'one', 'a=b'])],
    ['own-cluster', async () => one.kubectl(['delete', 'namespace', 'shop'])],
  ];
  for (const [feature, work] of reached) expect(await lacked(work)).toBe(feature);
  expect([one.programs.sidecarPackage, one.programs.vm.sidecarPackage]).toEqual(['x.deb', 'x.deb']);
  expect(one.vm.name).toBe('vm');
  expect((await one.kubectl(['get', 'pods'])).stdout).toBe('ran get pods\n');
  expect((await one.istioctl(['install', '-y'])).stdout).toBe('ran install -y\n');
});

test('this host is a bystander when it was told to be', async () => {
  const one = await lab({ EXISTING_BYSTANDER: 'here' });
  expect(one.features.has('bystander')).toBe(true);
  expect((await one.bystander(['echo', 'here'])).stdout).toBe('here\n');
  expect((await bystander(one).attempt(['echo', 'here'])).stdout).toBe('here\n');
});

test('a mesh that is used as it is is not installed, upgraded or removed', async () => {
  const one = await lab({ EXISTING_MESH: 'use' });
  expect(one.features.has('own-mesh')).toBe(false);
  for (const words of [['install'], ['uninstall', '--purge'], ['tag', 'set', 'default'], ['upgrade']])
    expect(await lacked(async () => one.istioctl(words))).toBe('own-mesh');
  expect((await one.istioctl(['proxy-status'])).stdout).toBe('ran proxy-status\n');
});

test("istiod looks at the lab's own namespaces alone", async () => {
  const one = await lab();
  const file = controlPlane(one).at(-1) ?? '';
  expect(JSON.stringify(one.manifest(file))).toContain(
    `"discoverySelectors":[{"matchLabels":{"istio-vm-conformance/lab":"${ownerName('mine')}"}}]`,
  );
  expect(controlPlane({ features: new Set(['own-cluster']) })).not.toContain(file);
});

test('what a machine lacks to be the VM is named, all of it, and so is another name', async () => {
  const saying = (lacks: string, hostname: string, architecture = 'amd64') => ({
    name: 'vm',
    attempt: async ([program, , script = '']: readonly string[]) => {
      const stdout =
        program === 'hostname' ? hostname : script.includes('--print-architecture') ? architecture : lacks;
      return Promise.resolve({ stdout: `${stdout}\n`, stderr: '', code: 0, ms: 1 });
    },
  });
  expect(await refuseUnfitVm(saying('', 'vm'), ['x64', 'arm64'])).toBe('x64');
  expect(await refuseUnfitVm(saying('', 'vm', 'arm64'), ['x64', 'arm64'])).toBe('arm64');
  await expect(
    refuseUnfitVm(saying('the program dpkg\nthe user ubuntu', 'vm', 'x86_64'), ['x64']),
  ).rejects.toEqual(new RefusedError('vm lacks the program dpkg, the user ubuntu, so it cannot be the VM.'));
  await expect(refuseUnfitVm(saying('', 'vm', 'amd64'), ['arm64'])).rejects.toEqual(
    new RefusedError(
      'vm lacks an architecture that there is a package for (arm64; it is amd64), so it cannot be the VM.',
    ),
  );
  await expect(refuseUnfitVm(saying('', 'web-1'), ['x64'])).rejects.toEqual(
    new RefusedError('The VM calls itself web-1, and would be vm here; set WORKLOAD_VM_NAME=web-1.'),
  );
});

test('a machine whose sudo leaves the environment out is named', async () => {
  const bin = join(folder.path, 'sudo-rs');
  await mkdir(bin, { recursive: true });
  await writeAtomic(join(bin, 'sudo'), '#!/bin/sh\necho "sudo-rs 0.2.8"\n', 0o755);
  const PATH = `${bin}:${process.env['PATH'] ?? ''}`;
  const here = { name: 'vm', attempt: async (words: readonly string[]) => attempt(words, { env: { PATH } }) };
  await expect(refuseUnfitVm(here, ['x64', 'arm64'])).rejects.toThrow(/its sudo is sudo-rs \(on Ubuntu, /);
});
