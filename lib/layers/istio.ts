import { join } from 'node:path';
import { stringify } from 'yaml';
import { attempt } from '#lib/base/command.ts';
import { inWholeSeconds } from '#lib/base/deadline.ts';
import { ours } from '#lib/base/deadlines.ts';
import { messageOf } from '#lib/base/errors.ts';
import { exists, writeAtomic } from '#lib/base/files.ts';
import { say } from '#lib/base/progress.ts';
import { hostKubeconfig } from '#lib/distribution/kubeconfig.ts';
import type { Resource } from '#lib/kube/client.ts';
import { allThere } from '#lib/kube/manifest.ts';
import { installedMarked } from './existing/marked-mesh.ts';
import { measured, type Lab } from './lab.ts';
import type { Layer } from './layer.ts';

/** What `istioctl version` said before anything of Istio was in the cluster. */
export const versionBeforeInstall = (lab: Pick<Lab, 'dir'>): string =>
  join(lab.dir, 'evidence/version-before-install.txt');

/** The control plane as a revision, by the documented IstioOperator file through `istioctl install`. */
export const istio: Layer = {
  name: 'istio',
  needs: ['cluster'],
  title: 'Istio: control plane by revision, default ingress gateway',
  expectedMs: 15_000,

  async up(lab) {
    const { settings } = lab;
    if (!lab.features.has('own-mesh')) await istio.check(lab);
    else await installed(lab);
    const version = await lab.istioctl(['version', '--remote=true', '-o', 'json']);
    const { meshVersion } = JSON.parse(version.stdout) as { meshVersion?: { Info: { version: string } }[] };
    await measured(lab.dir, { istio: meshVersion?.[0]?.Info.version, revision: settings.istioRevision });
  },

  async check(lab) {
    await allThere(lab.kube, [deployment(lab, `istiod-${lab.settings.istioRevision}`)]);
  },

  async down(lab) {
    await lab.istioctl(['uninstall', '-y', '--purge'], { within: ours.uninstallIstio });
  },
};

/** Installs the control plane, of which everything is the lab's own. */
async function installed(lab: Lab): Promise<void> {
  if (!exists(versionBeforeInstall(lab))) {
    const said = await attempt([join(lab.programs.istio, 'istioctl'), 'version'], {
      env: { KUBECONFIG: hostKubeconfig(lab) },
    });
    await writeAtomic(versionBeforeInstall(lab), said.stdout + said.stderr);
  }
  if (lab.features.has('own-cluster')) return install(lab, 'vm-cluster', controlPlane(lab));
  await installedMarked(lab, async () => install(lab, 'vm-cluster', controlPlane(lab)));
}

/** The documented file and what this lab takes on top: stock Envoy needs istiod to leave filters out. */
export const controlPlane = ({ features }: Pick<Lab, 'features'>): string[] => [
  '02-istio/vm-cluster.yaml',
  ...(features.has('istio-proxy-build') ? [] : ['02-istio/stock-envoy.yaml']),
  '02-istio/local-images.yaml',
  '02-istio/probe-often.yaml',
  ...(features.has('own-cluster') ? [] : ['02-istio/own-namespaces.yaml']),
];

/** Runs `istioctl install` on manifests under fixtures/, which are kept in the lab as they were given. */
export async function install(lab: Lab, name: string, files: readonly string[]): Promise<void> {
  const given = await Promise.all(
    files.map(async (file, index) => {
      const path = join(lab.dir, 'operator', `${name}-${String(index)}.yaml`);
      await writeAtomic(
        path,
        lab
          .manifest(file)
          .map((document) => stringify(document))
          .join('---\n'),
      );
      return ['-f', path];
    }),
  );
  const words = ['install', '-y', `--istioNamespace=${lab.settings.istioNamespace}`];
  const patient = `--readiness-timeout=${inWholeSeconds(ours.istioReady)}s`;
  await withinItsOwnLimit(async () =>
    lab.istioctl([...words, patient, ...given.flat()], { within: ours.installIstio }),
  );
}

/** What istioctl says when the API server took longer than the 15 s that it gives each request, which nothing sets. */
const ownLimit = /\(Client\.Timeout /;

/**
 * Runs an installation again when a request of it missed istioctl's own limit, as on a slow machine, and says so.
 * An installation changes only what is not yet as asked, so the next one goes on where this one ended.
 *
 * @param runs how often at most
 * @throws Error of the last run, or the first that has another reason
 */
export async function withinItsOwnLimit(installing: () => Promise<unknown>, runs = 4): Promise<void> {
  for (let run = 1; ; run++) {
    try {
      await installing();
      return;
    } catch (error) {
      if (run === runs || !ownLimit.test(messageOf(error))) throw error;
      say(
        `istioctl gave up on a request after 15 s, a limit of its own; it is run again (${String(run + 1)} of at most ${String(runs)}).`,
      );
    }
  }
}

/** A deployment of Istio's namespace, by its name. */
export const deployment = ({ settings }: Pick<Lab, 'settings'>, name: string): Resource => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: settings.istioNamespace },
});
