import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { claims } from '#lib/claims/claim.ts';
import { change, type Change } from '#lib/kube/manifest.ts';
import { clientEnv } from '#lib/layers/client-env.ts';
import { istioctlElsewhere } from '#lib/layers/istioctl-elsewhere.ts';
import { attachLab, type Lab, type Programs } from '#lib/layers/lab.ts';
import { labCommand, labIsThere } from '#lib/layers/lab-command.ts';
import { together, without } from '#lib/layers/passing.ts';
import { istioctlFor, pinned } from '#lib/layers/pinned.ts';
import { saidAfterSourcing } from '#lib/probes/clean-shell.ts';
import { elfMachineOf } from '#lib/probes/elf.ts';

const claim = claims('02-istio', { layer: 'istio' });

/** A file of the lab's folder with other content; the undo writes what it had. */
async function rewritten(file: string, name: string, other: (text: string) => string): Promise<Change> {
  const before = await readFile(file, 'utf8');
  await writeFile(file, other(before));
  return change(name, async () => writeFile(file, before));
}

claim('istio.istioctl-download', {
  async falsifier(lab) {
    const istio = await istioctlElsewhere(lab);
    const stale = (text: string): string => JSON.stringify({ ...(JSON.parse(text) as Programs), istio });
    return rewritten(join(lab.dir, 'programs.json'), 'an istioctl of another version in its place', stale);
  },
  red: /the version that istioctl has: expected '1\.0\.0' to be '/,

  async proof({ dir, settings }, seen) {
    const versionOf = async (): Promise<string> => {
      // found anew, as each process of a run finds it
      const { stdout } = await (await attachLab()).istioctl(['version', '--remote=false']);
      return stdout.trim().replace(/^client version: /, '');
    };
    const programs = await readFile(join(dir, 'programs.json'), 'utf8');
    seen('where the programs are', programs);
    const version = seen('the version that istioctl has', await versionOf());
    expect(version, 'the version that istioctl has').toBe(settings.istioVersion);

    const name = `${settings.lab.name.slice(0, 20)}-old`;
    const asked = await labCommand(['up', 'machines'], { ISTIO_VERSION: '1.19.999', LAB_NAME: name });
    // of the sources that this run may ask, each says what it lacks
    const refused =
      settings.lab.artifactSource === 'release'
        ? /ARTIFACT_SOURCE=release has no Istio 1\.19\.999 for this run: \S+istio-1\.19\.999-\S+ (?:is not to be had|cannot be reached) \(/
        : /ISTIO_VERSION=1\.19\.999 is in no artifact source: modules has .*\b1\.27\.9\b/;
    expect(seen('1.19.999, which no source has', asked.stderr)).toMatch(refused);
    expect({ code: asked.code, lab: labIsThere(name) }).toEqual({ code: 2, lab: false });
    expect(await readFile(join(dir, 'programs.json'), 'utf8')).toBe(programs);
    expect(await versionOf()).toBe(version);
  },
});

/** What Istio calls the processors that programs of Linux are for. */
const ofElf: Readonly<Record<string, string>> = { 'x86-64': 'linux-amd64', aarch64: 'linux-arm64' };

claim('istio.istioctl-arch-values', {
  async falsifier() {
    const real = process.arch;
    const set = (value: string): void =>
      void Object.defineProperty(process, 'arch', { value, configurable: true });
    set('riscv64');
    return change('this machine as riscv64', async () => {
      set(real);
      return Promise.resolve();
    });
  },
  red: /Istio has no istioctl for linux-riscv64; it has one for /,

  async proof({ programs }, seen) {
    const documented = ['osx-arm64', 'osx-amd64', 'linux-armv7', 'linux-arm64', 'linux-amd64'];
    const own = seen('this machine', istioctlFor());
    expect(documented, own).toContain(own);
    expect(seen('what istioctl runs on', ofElf[await elfMachineOf(join(programs.istio, 'istioctl'))])).toBe(
      own,
    );

    // all that Node.js runs on
    const platforms = ['aix', 'android', 'darwin', 'freebsd', 'linux', 'openbsd', 'sunos', 'win32'];
    const processors = ['arm', 'arm64', 'ia32', 'loong64', 'mips', 'ppc64', 'riscv64', 's390x', 'x64'];
    const names = platforms.flatMap((one) => processors.map((processor) => istioctlFor(one, processor)));
    const [given = [], refused = []] = [true, false].map((good) =>
      names.filter((name) => (pinned.istioArchs as readonly string[]).includes(name) === good),
    );
    // Windows is not in the list of the document, and 32-bit ARM is with Linux alone
    expect(seen('the values that any machine gets', given).toSorted()).toEqual(documented.toSorted());
    expect(refused.filter((why) => !/^Istio has no istioctl for \S+; it has one for /.test(why))).toEqual([]);
  },
});

claim('istio.istioctl-path', {
  async falsifier(lab) {
    const folder = await istioctlElsewhere(lab);
    const earlier = (text: string): string => `${text}export PATH='${folder}':"$PATH"\n`;
    return rewritten(clientEnv(lab), 'another istioctl earlier on PATH', earlier);
  },
  red: /found first is \S+\/elsewhere\/istioctl: expected/,

  async proof(lab, seen) {
    const elsewhere = await istioctlElsewhere(lab);
    const script = 'command -v istioctl; istioctl version --remote=false';
    const path = `${elsewhere}:/usr/bin:/bin`;
    const said = seen(script, await saidAfterSourcing(clientEnv(lab), script, path));
    const [found = '', version = ''] = said.trim().split('\n');

    expect(found, `found first is ${found}`).toBe(join(lab.programs.istio, 'istioctl'));
    expect(version.replace(/^client version: /, '')).toBe(lab.settings.istioVersion);
  },
});

const tag = {
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingWebhookConfiguration',
  name: 'istio-revision-tag-default',
};

claim('istio.tag-list-namespace', {
  async falsifier(lab: Lab) {
    const { istioVersion, istioRevision, istioNamespace: namespace } = lab.settings;
    if (istioVersion === '1.24.0') {
      await lab.istioctl(['tag', 'set', 'default', '--revision', istioRevision]);
      return change('a tag made by hand', async () => lab.kube.remove(tag));
    }
    // from 1.28 on the tag is a service too, and is listed from both
    const service = { apiVersion: 'v1', kind: 'Service', namespace, name: 'istiod-revision-tag-default' };
    return together(
      async () => without(lab, tag),
      ...(istioVersion === 'master' ? [async () => without(lab, service)] : []),
    );
  },
  red: /the rows of the table: expected '(1-27-9|default 1-24-0|)' to be '/,

  async proof({ istioctl, settings }, seen) {
    const table = async (...flags: string[]): Promise<string> =>
      (await istioctl(['tag', 'list', ...flags])).stdout;
    const [plain, named, nowhere] = await Promise.all([
      table(),
      table(`--istioNamespace=${settings.istioNamespace}`),
      table('--istioNamespace=default'),
    ]);
    expect(settings.istioNamespace).toBe('istio-system');
    expect(seen('without the flag', plain)).toBe(seen('with the flag', named));

    const rows = plain
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(/\s+/).join(' '));
    // what 1.24.0 makes of its own webhook is told at istio.default-tag
    const tagged = settings.istioVersion === '1.24.0' ? '' : 'default ';
    expect(rows.join('; '), 'the rows of the table').toBe(`${tagged}${settings.istioRevision}`);
    // webhooks are in no namespace
    expect(seen('with a namespace in which nothing of Istio is', nowhere)).toBe(named);
  },
});
