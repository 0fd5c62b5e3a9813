import { chmod, cp, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Run } from '#lib/base/command.ts';
import { goBuild, goInputs, goModule, type GoPrograms } from './go.ts';
import type { IstioVersion } from './istio-versions.ts';
import type { Architecture } from './architecture.ts';
import { produce, type Build, type Note, type Place } from './store.ts';

/** The module's files that the sidecar package and the images are made of; they go to packaging/ of the artifact. */
const packaging = {
  'envoy_bootstrap.json': 'tools/packaging/common/envoy_bootstrap.json',
  'istio-start.sh': 'tools/packaging/common/istio-start.sh',
  'istio.service': 'tools/packaging/common/istio.service',
  'sidecar.env': 'tools/packaging/common/sidecar.env',
  'postinst.sh': 'tools/packaging/postinst.sh',
};

/** Builds Istio. Returns the folder of pilot-discovery, pilot-agent and istioctl, with packaging/ beside them. */
export async function istio(version: IstioVersion, place?: Place): Promise<string> {
  const programs = istioPrograms(version);
  const inputs = { ...(await goInputs(programs)), packaging };
  const title = `Istio ${version.version} from its Go module`;
  return produce(
    'istio',
    inputs,
    title,
    300_000,
    async (dir, note, run) => build(programs, dir, note, run),
    place,
  );
}

export function istioPrograms({ version, module }: IstioVersion): GoPrograms {
  const about = 'istio.io/istio/pkg/version';
  return {
    folder: `artifacts/istio-${version}`,
    programs: {
      'pilot-discovery': 'istio.io/istio/pilot/cmd/pilot-discovery',
      'pilot-agent': 'istio.io/istio/pilot/cmd/pilot-agent',
      istioctl: 'istio.io/istio/istioctl/cmd/istioctl',
    },
    values: {
      [`${about}.buildVersion`]: version,
      [`${about}.buildTag`]: version,
      [`${about}.buildGitRevision`]: module.split('-').at(-1) ?? '',
      [`${about}.buildStatus`]: 'Clean',
      [`${about}.buildHub`]: 'docker.io/istio',
    },
  };
}

/** Builds pilot-agent alone, for another architecture. Returns the folder that holds it. */
export async function agentFor(
  version: IstioVersion,
  architecture: Architecture,
  place?: Place,
): Promise<string> {
  const all = istioPrograms(version);
  const programs = { ...all, architecture, programs: { 'pilot-agent': all.programs['pilot-agent'] ?? '' } };
  const title = `pilot-agent of Istio ${version.version} for ${architecture}`;
  const agent: Build = async (dir, note, run) => goBuild(programs, dir, note, run);
  return produce(`pilot-agent-${architecture}`, await goInputs(programs), title, 150_000, agent, place);
}

async function build(programs: GoPrograms, dir: string, note: Note, run: Run): Promise<void> {
  await goBuild(programs, dir, note, run);
  const module = await goModule(programs.folder, 'istio.io/istio', run);
  await mkdir(join(dir, 'packaging'));
  for (const [name, source] of Object.entries(packaging)) {
    await cp(join(module, source), join(dir, 'packaging', name));
    // the module cache knows no modes; these are the ones of Istio's repository
    await chmod(join(dir, 'packaging', name), name.endsWith('.sh') ? 0o755 : 0o644);
  }
}
