import { copyFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { run as runHere, type Run } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { fixture } from '#lib/base/paths.ts';
import { settings as readSettings } from '#lib/base/settings.ts';
import { debianSources } from './debian-sources.ts';
import { goBuild, goInputs, goModule, type GoPrograms } from './go.ts';
import { buildImage } from './image-build.ts';
import type { Image } from './images.ts';
import { kubernetesVersion } from './kubernetes.ts';
import { hashesOf } from './manifest.ts';
import { produce, type Note } from './store.ts';

/** What the upstream tests of Kubernetes need to judge a cluster. */
export interface KubernetesJudge {
  /** The program with the tests. */
  program: string;
  /** An OCI archive, and the names that the tests call it by. */
  image: string;
  imageNames: string[];
}

const folder = `artifacts/judge-${kubernetesVersion}`;
const tests = 'k8s.io/kubernetes/test/e2e';
const agnhost: GoPrograms = { folder, programs: { agnhost: 'k8s.io/kubernetes/test/images/agnhost' } };

/** Programs that the tests run in a container: a shell and its tools, dig, getent, nc, curl, wget, ss. */
const packages = [
  'bind9-dnsutils',
  'coreutils',
  'curl',
  'dash',
  'grep',
  'iproute2',
  'libc-bin',
  'netcat-openbsd',
  'sed',
  'wget',
];

/** Builds the upstream tests of the lab's Kubernetes, from the same module, and the image that they run. */
export async function kubernetesJudge(): Promise<KubernetesJudge> {
  const inputs = { ...(await goInputs(agnhost)), tests };
  const title = `Tests of Kubernetes ${kubernetesVersion} from its Go module`;
  const programs = await produce('kubernetes-tests', inputs, title, 180_000, buildPrograms);
  const program = join(programs, 'e2e.test');
  const { stdout } = await runHere([program, '--list-images'], { within: ours.command });
  const names = stdout
    .split('\n')
    .filter((name) => /\/e2e-test-images\/(agnhost|jessie-dnsutils):/.test(name))
    // they are listed in another order each time
    .sort();
  const recipe = await hashesOf(fixture('images/agnhost'));
  const image = await produce(
    'kubernetes-tests-image',
    { inputs, names, packages, recipe },
    'Image of the Kubernetes tests',
    20_000,
    async (dir, note, run) => {
      await buildAgnhost(programs, names[0] ?? '', dir, note, run);
    },
  );
  return { program, image: join(image, 'agnhost.oci'), imageNames: names };
}

async function buildPrograms(dir: string, note: Note, run: Run): Promise<void> {
  note('agnhost');
  await goBuild(agnhost, dir, note, run);
  const module = await goModule(folder, 'k8s.io/kubernetes', run);
  for (const file of ['localhost.crt', 'localhost.key']) {
    await copyFile(join(module, 'test/images/agnhost/porter', file), join(dir, file));
  }
  note('e2e.test');
  const flags = ['-trimpath', '-buildvcs=false', '-ldflags', `-s -w -X ${version}=v${kubernetesVersion}`];
  await run(['go', 'test', '-c', ...flags, '-o', join(dir, 'e2e.test'), tests], {
    cwd: fixture(folder),
    env: { CGO_ENABLED: '0', GOFLAGS: '-mod=readonly', GOWORK: 'off' },
    within: ours.build,
  });
}

const version = 'k8s.io/component-base/version.gitVersion';

async function buildAgnhost(
  programs: string,
  name: string,
  dir: string,
  note: Note,
  run: Run,
): Promise<void> {
  note('Debian packages');
  const tar = join(dir, 'debian.tar');
  const { lines } = await debianSources('debian-12', readSettings().lab.debianMirror, run);
  const leaveOut = ['doc', 'man', 'locale', 'info'].map(
    (one) => `--dpkgopt=path-exclude=/usr/share/${one}/*`,
  );
  const what = ['--mode=root', '--variant=extract', `--include=${packages.join(',')}`, ...leaveOut];
  await run(['mmdebstrap', ...what, '', tar, '-'], {
    input: `${lines.join('\n')}\n`,
    within: ours.debootstrap,
  });
  note(name);
  const own = ['agnhost', 'localhost.crt', 'localhost.key'];
  const image: Image = {
    name,
    recipe: 'agnhost',
    tree: {
      files: {
        '/debian.tar': tar,
        ...Object.fromEntries(own.map((file) => [`/${file}`, join(programs, file)])),
      },
      // what packages link when they are installed; these are only unpacked
      links: { '/bin/sh': 'dash', '/bin/nc': 'nc.openbsd' },
    },
  };
  await buildImage(image, join(dir, 'agnhost.oci'), join(dir, 'scratch'), run);
  await rm(tar);
}
