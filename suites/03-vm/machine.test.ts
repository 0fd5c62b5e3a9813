import { mkdir, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { claims } from '#lib/claims/claim.ts';
import { change, type Change } from '#lib/kube/manifest.ts';
import type { Lab } from '#lib/layers/lab.ts';
import { lasting } from '#lib/layers/lasting.ts';
import { asUser, machineOf } from '#lib/layers/shell.ts';
import { roomForVm } from '#lib/layers/spare-vm.ts';
import { deleteVm, recreateVm } from '#lib/layers/vm-anew.ts';
import { workloadFiles } from '#lib/layers/workload.ts';

const claim = claims('03-vm', { layer: 'machines' });

claim('vm.shell-access', {
  async falsifier({ vm }) {
    await vm.run(['mv', '/etc/sudoers.d/ubuntu', '/root/sudoers-of-ubuntu']);
    return change('ubuntu without sudo', async () => {
      await vm.run(['mv', '/root/sudoers-of-ubuntu', '/etc/sudoers.d/ubuntu']);
    });
  },
  red: /password is required/,

  async proof(lab, seen) {
    const machine = machineOf(lab, 'vm-istio-external-workload');
    const script = 'id -un; hostname; sudo -n id -un';
    const { stdout, stderr } = await machine.attempt(asUser(['bash', '-c', script]));

    const [user, host, bySudo] = seen('user, host, user by sudo', (stdout + stderr).trim().split('\n'));
    expect(user).toBe('ubuntu');
    expect(host).toBe('vm-istio-external-workload');
    expect(bySudo).toBe('root');
  },
});

/** A second machine: what is done to it is felt by nobody else. */
const spare = lasting(roomForVm);
afterAll(async () => spare.end());

const filesIn = async (folder: string): Promise<Record<string, string>> => {
  const names = await readdir(folder).catch(() => []);
  const files = names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const);
  return Object.fromEntries(await Promise.all(files));
};

/** What the workload step leaves in its folder; of the content nothing depends here. */
async function generate(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const name of ['cluster.env', 'hosts', 'istio-token', 'mesh.yaml', 'root-cert.pem'])
    await writeFile(join(folder, name), `generated: ${name}`);
}

const otherFiles = ({ dir }: Pick<Lab, 'dir'>): string => join(dir, 'other-files');

/** The second machine as it runs, what was generated for it, and files of the host that have nothing to do with it. */
async function launched(lab: Lab): Promise<Change> {
  await spare.given(lab);
  const { lab: other } = spare.now();
  await generate(workloadFiles(other));
  await generate(otherFiles(other));
  await other.vm.anew();
  return change('another VM', async () => {
    await other.vm.remove();
    for (const folder of [workloadFiles(other), otherFiles(other)])
      await rm(folder, { recursive: true, force: true });
  });
}

claim('vm.create-flags', {
  given: launched,
  async falsifier() {
    const { lab: other } = spare.now();
    const [files, inside] = [otherFiles(other), join(other.vm.dir, 'other-files')];
    await rename(files, inside);
    await symlink(inside, files);
    return change("other files in the machine's own folder", async () => rm(files, { force: true }));
  },
  red: /other files/,

  async proof(_, seen) {
    const { lab: other } = spare.now();
    const { vm, dir } = other;
    const files = await filesIn(otherFiles(other));
    const mark = '/root/of-the-machine-before';
    await vm.write(mark, '');

    await recreateVm(other);
    const marked = await vm.attempt(['test', '-e', mark]);
    expect(seen('status of looking for a file of the machine before', marked.code)).toBe(1);
    expect(seen('generated files after --recreate', await filesIn(workloadFiles(other)))).toEqual({});
    expect(await filesIn(otherFiles(other)), 'other files after --recreate').toEqual(files);

    await generate(workloadFiles(other));
    const generated = await filesIn(workloadFiles(other));
    await deleteVm(other);
    expect(seen('machines after --delete', await readdir(join(dir, 'machines')))).toEqual([]);
    await expect(vm.attempt(['true'])).rejects.toThrow(/does not run/);
    expect(await filesIn(workloadFiles(other)), 'generated files after --delete').toEqual(generated);
    expect(await filesIn(otherFiles(other)), 'other files after --delete').toEqual(files);
  },
});
