import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { attempt, type Output } from '#lib/base/command.ts';
import { exists } from '#lib/base/files.ts';
import { temporary } from '#lib/base/temporary.ts';
import { labGroup } from './cgroups.ts';
import { script } from './lab.ts';

/*
 * cgroups.sh on trees of ordinary files: what is asked of the kernel. What the kernel makes of it only a lab shows.
 */

async function tree(dir: string, files: Readonly<Record<string, string>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(dirname(join(dir, name)), { recursive: true });
    await writeFile(join(dir, name), content);
  }
}

const cgroups = async (dir: string, ...words: string[]): Promise<Output> =>
  attempt(['bash', script('cgroups.sh'), ...words], { env: { CGROUP_ROOT: dir } });

const all = 'cpuset cpu io memory hugetlb pids rdma misc\n';
const version1 = ['cpu', 'cpuset', 'memory', 'pids'].map((name) => [`${name}/tasks`, ''] as const);

test('version 1: a lab and its machines have groups of their own in every hierarchy', async () => {
  await using dir = await temporary();
  await tree(dir.path, Object.fromEntries(version1));
  const { stdout, code } = await cgroups(dir.path, 'open', 'mine', String(process.pid));
  expect({ stdout, code }).toEqual({ stdout: 'istio-vm-conformance/mine\n', code: 0 });

  expect((await cgroups(dir.path, 'make', 'istio-vm-conformance/mine', 'a', '2', '1024')).code).toBe(0);
  for (const [name] of version1)
    expect(exists(join(dir.path, dirname(name), 'istio-vm-conformance/mine/a/init'))).toBe(true);

  await cgroups(dir.path, 'remove', 'istio-vm-conformance/mine');
  expect(exists(join(dir.path, 'cpu/istio-vm-conformance'))).toBe(false);
});

test('version 1: a hierarchy that the kernel lacks is named', async () => {
  await using dir = await temporary();
  await tree(dir.path, Object.fromEntries(version1.filter(([name]) => !name.startsWith('cpuset'))));
  const { stderr, code } = await cgroups(dir.path, 'open', 'mine', String(process.pid));
  expect(code).toBe(1);
  expect(stderr).toContain(
    'the kernel has no control group version 1 hierarchy of cpuset, which kubelet needs',
  );
});

test('version 2 without systemd: the group of a lab is below the root', async () => {
  await using dir = await temporary();
  await tree(dir.path, {
    'cgroup.controllers': all,
    'istio-vm-conformance/cgroup.controllers': all,
    'istio-vm-conformance/mine/cgroup.controllers': all,
  });
  const { stdout, stderr, code } = await cgroups(dir.path, 'open', 'mine', String(process.pid));
  expect({ stdout, stderr, code }).toEqual({ stdout: 'istio-vm-conformance/mine\n', stderr: '', code: 0 });
  // one by one: a file keeps the last
  expect(await readFile(join(dir.path, 'istio-vm-conformance/mine/cgroup.subtree_control'), 'utf8')).toBe(
    '+misc\n',
  );
});

test('version 2: a controller that is not delegated is named, with what there is', async () => {
  await using dir = await temporary();
  await tree(dir.path, {
    'cgroup.controllers': all,
    'istio-vm-conformance/cgroup.controllers': all,
    'istio-vm-conformance/mine/cgroup.controllers': 'memory pids\n',
  });
  const { stderr, code } = await cgroups(dir.path, 'open', 'mine', String(process.pid));
  expect(code).toBe(1);
  expect(stderr).toContain(
    'control group istio-vm-conformance/mine lacks the controllers cpu cpuset, which kubelet needs; it has: memory pids',
  );
});

test('where the group of a lab is, its keeper writes down', async () => {
  await using dir = await temporary();
  expect(labGroup({ name: 'mine', dir: dir.path })).toBe('istio-vm-conformance/mine');
  await writeFile(join(dir.path, 'cgroup'), 'system.slice/istio-vm-conformance-mine-x.scope\n');
  expect(labGroup({ name: 'mine', dir: dir.path })).toBe('system.slice/istio-vm-conformance-mine-x.scope');
});
