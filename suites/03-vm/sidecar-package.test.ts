import { mkdir, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { afterAll, expect } from 'vitest';
import { claims } from '#lib/claims/claim.ts';
import { change } from '#lib/kube/manifest.ts';
import { patchedPrograms, patchesFolder } from '#lib/layers/arm64-patches.ts';
import { keptFiles } from '#lib/layers/kept-files.ts';
import { labWith, type Lab } from '#lib/layers/lab.ts';
import { lasting } from '#lib/layers/lasting.ts';
import { smallPackage } from '#lib/layers/small-package.ts';
import { spareVm } from '#lib/layers/spare-vm.ts';
import { architecturesOf } from '#lib/layers/vm-architecture.ts';
import { installSidecar } from '#lib/layers/workload.ts';
import { packageFacts } from '#lib/probes/debian-package.ts';
import { blobId, blobsIn } from '#lib/probes/git-blob.ts';

const claim = claims('03-vm', { layer: 'machines' });

/** What both articles list. */
const documented = {
  'lib/systemd/system/istio.service': '100644 c18ec3ce73f52fafe05585de91cd4cda2cdf3951',
  'usr/local/bin/istio-start.sh': '100755 e022fbb08d4375a66276263b70380230e4702dbe',
  'var/lib/istio/envoy/envoy_bootstrap_tmpl.json': '100644 ab4bbffd39a7462db68312b7049828c7b4c1d673',
  'var/lib/istio/envoy/sidecar.env': '100644 fc42e5483094378ca0f0b00cd52f81d1827531cb',
};
const startScript = 'usr/local/bin/istio-start.sh';

/** Those of the four that are the same in the package of each version that was measured. */
const unchanged = ['lib/systemd/system/istio.service', 'var/lib/istio/envoy/sidecar.env'] as const;

claim('vm.deb-kept-files-hashes', {
  async falsifier({ vm }) {
    const file = '/var/lib/istio/envoy/sidecar.env';
    await vm.run(['bash', '-c', `cp -a ${file} ${file}.aside && echo >>${file}`]);
    return change('a byte more in sidecar.env', async () => {
      await vm.run(['mv', `${file}.aside`, file]);
    });
  },
  red: /sidecar\.env as installed/,

  async proof({ vm }, seen) {
    const kept = await blobsIn(keptFiles);
    const listed = Object.fromEntries(kept.map(({ mode, id, path }) => [path, `${mode} ${id}`]));
    const installed = unchanged.map(async (path) => [path, blobId(await vm.read(`/${path}`))] as const);

    expect(seen('the files that the article keeps', listed)).toEqual({
      ...documented,
      [startScript]: '100755 7b9a6179432f38a78f659bb6103aa02ac6a4fb35',
    });
    expect(listed[startScript]).not.toBe(documented[startScript]);
    for (const [path, id] of seen('what the package of this version installs', await Promise.all(installed)))
      expect(id, `${path} as installed`).toBe(documented[path].split(' ')[1]);
  },
});

claim('vm.deb-amd64-only', {
  async falsifier({ programs }) {
    const { sidecarPackage } = programs.arm64;
    programs.arm64.sidecarPackage = programs.sidecarPackage;
    return change('the amd64 package alone', async () => {
      programs.arm64.sidecarPackage = sidecarPackage;
      return Promise.resolve();
    });
  },
  red: /"architecture": "amd64"|istio-sidecar\.deb/,

  async proof({ programs }, seen) {
    const [own, arm64] = await Promise.all(
      [programs.sidecarPackage, programs.arm64.sidecarPackage].map(packageFacts),
    );

    expect(seen('the package for arm64', arm64)).toMatchObject({
      file: 'istio-sidecar-arm64.deb',
      architecture: 'arm64',
      files: Object.fromEntries(patchedPrograms.map((path) => [path, 'aarch64'])),
    });
    expect(seen('that for amd64', own)).toMatchObject({
      file: 'istio-sidecar.deb',
      architecture: 'amd64',
      files: Object.fromEntries(patchedPrograms.map((path) => [path, 'x86-64'])),
    });
    // so nothing is left to be done by hand
    expect({ name: arm64?.name, version: arm64?.version, files: Object.keys(arm64?.files ?? {}) }).toEqual({
      name: 'istio-sidecar',
      version: own?.version,
      files: Object.keys(own?.files ?? {}),
    });
  },
});

/** A second machine, as its snapshot has it: what is done to it is felt by nobody else. */
const spare = lasting(spareVm);
afterAll(async () => spare.end());

/** The package that is refused: that for the architecture which the system has not. */
const refusing: { of: 'own' | 'other' } = { of: 'other' };

claim('vm.deb-arch-mismatch', {
  given: spare.given,
  async falsifier() {
    refusing.of = 'own';
    return change("the package of the system's own architecture", async () => {
      refusing.of = 'other';
      return Promise.resolve();
    });
  },
  red: /expected \+?0 to be 1/,

  async proof(_, seen) {
    const { lab: other } = spare.now();
    const [system, foreign] =
      architecturesOf(other).own === 'arm64' ? ['arm64', 'amd64'] : ['amd64', 'arm64'];
    const install = async (of: 'own' | 'other') => {
      const local = await smallPackage(other, architecturesOf(other)[of]);
      const remote = `/root/${basename(local)}`;
      await other.vm.upload(local, remote);
      return { remote, ...(await other.vm.attempt(['dpkg', '-i', remote])) };
    };

    const refused = await install(refusing.of);
    seen(`the package for ${foreign}`, refused.stdout + refused.stderr);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toBe(
      [
        `dpkg: error processing archive ${refused.remote} (--install):`,
        ` package architecture (${foreign}) does not match system (${system})`,
        'Errors were encountered while processing:',
        ` ${refused.remote}\n`,
      ].join('\n'),
    );
    const installed = await install('own');
    expect({ code: installed.code, said: seen(`that for ${system}`, installed.stdout) }).toMatchObject({
      code: 0,
      said: expect.stringContaining('Setting up istio-sidecar') as string,
    });
  },
});

/** The programs of another architecture as the bootstrap finds them; it looks at nothing but their names. */
async function patchesOf(lab: Lab, content: string) {
  const folder = patchesFolder(lab);
  for (const path of patchedPrograms) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
  return change(`patches (${content || 'empty'})`, async () => rm(folder, { recursive: true, force: true }));
}

claim('vm.arm64-step-skippable', {
  given: spare.given,
  falsifier: async () => patchesOf(spare.now().lab, ''),
  red: /Deploying with arm64 binaries/,

  async proof(_, seen) {
    const whole = spare.now().lab;
    const { vm } = whole;
    const sidecarPackage = await smallPackage(whole, architecturesOf(whole).own);
    const { programs } = whole;
    const other = labWith(whole, { programs: { ...programs, vm: { ...programs.vm, sidecarPackage } } });
    const deployed = async () => {
      const before = await dpkgRan();
      const said = await installSidecar(other);
      const program = (await vm.read('/usr/local/bin/envoy')).trim();
      return { said, program, dpkgRan: (await dpkgRan()) !== before };
    };
    const dpkgRan = async () => vm.read('/var/log/dpkg.log');
    await vm.run(['dpkg', '--purge', 'istio-sidecar']);

    expect(seen('without patches', await deployed())).toEqual({
      said: 'Deploying without arm64 binaries.',
      program: 'left out',
      dpkgRan: true,
    });
    await using patches = await patchesOf(whole, 'for arm64');
    expect(seen(`with ${patches.name}`, await deployed())).toEqual({
      said: 'Deploying with arm64 binaries...',
      program: 'for arm64',
      dpkgRan: false,
    });
  },
});
