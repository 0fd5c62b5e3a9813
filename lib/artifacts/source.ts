import { join } from 'node:path';
import { attempt, type Output } from '#lib/base/command.ts';
import type { Within } from '#lib/base/deadline.ts';
import { ours } from '#lib/base/deadlines.ts';
import { ask } from '#lib/base/download.ts';
import { messageOf, RefusedError } from '#lib/base/errors.ts';
import type { Settings } from '#lib/base/settings.ts';
import { istioVersion, moduleVersions, type IstioVersion } from './istio-versions.ts';
import { istioArchive, istioPackage } from './release/addresses.ts';
import { addressesOf, refusalOf } from './release/fetched.ts';
import { downloadsOf, istioRelease, packaged, type IstioRelease } from './release/istio-release.ts';
import { isMade } from './store.ts';

/** Where Istio comes from in this run. */
export type IstioSource =
  | { is: 'modules'; version: IstioVersion; why: string }
  | { is: 'release'; release: IstioRelease; why: string };

/** How the world is looked at; a test brings its own. */
export interface Looking {
  /** Runs a program and returns what it said, whatever its exit status. */
  attempt: (words: readonly string[], options: { within: Within }) => Promise<Output>;
  /** How long an address may take to answer; `ours.sourceLook` unless told. */
  within?: Within;
}

/** The first release whose sidecar's package is as the later ones. */
const oldest = [1, 19] as const;

/**
 * Decides where Istio comes from, as ARTIFACT_SOURCE has it: `auto` takes the release when the cache has it or all of it
 * can be reached now, and the modules otherwise. Nothing is fetched or changed.
 *
 * @returns the source and, for whoever watches, why it is this one
 * @throws RefusedError that says what each source lacks when none that was asked for has the version
 */
export async function istioSource(settings: Settings, looking: Looking = { attempt }): Promise<IstioSource> {
  const { istioVersion: version, lab } = settings;
  if (lab.artifactSource === 'modules')
    return { is: 'modules', version: istioVersion(version), why: 'ARTIFACT_SOURCE=modules' };

  const release = istioRelease(settings);
  const cached = await allMade(release, join(lab.cache, 'artifacts'));
  const lacking = cached ? undefined : await lackOf(settings, looking);
  if (lacking === undefined)
    return { is: 'release', release, why: cached ? 'all of it is in the cache' : 'it can be reached' };
  if (lab.artifactSource === 'release')
    throw new RefusedError(`ARTIFACT_SOURCE=release has no Istio ${version} for this run: ${lacking}.`);
  if (moduleVersions().includes(version))
    return {
      is: 'modules',
      version: istioVersion(version),
      why: `the release source cannot give it: ${lacking}`,
    };
  throw new RefusedError(
    `ISTIO_VERSION=${version} is in no artifact source: modules has ${moduleVersions().join(', ')}; release cannot give it: ${lacking}.`,
  );
}

async function allMade(release: IstioRelease, store: string): Promise<boolean> {
  for (const product of downloadsOf(release)) if (!(await isMade(product, store))) return false;
  return true;
}

/** Why the release cannot be taken, or undefined. All that it needs is looked at, at once, by its checksum files. */
async function lackOf(settings: Settings, looking: Looking): Promise<string | undefined> {
  const { istioVersion: version, containerTool: tool, lab } = settings;
  const { releases } = lab;
  const [major, minor] = version.split('.').map(Number);
  if (major === undefined || minor === undefined) return `there is no release called ${version}`;
  const tooOld = major < oldest[0] || (major === oldest[0] && minor < oldest[1]);
  if (tooOld) return `it is taken from ${oldest.join('.')} on`;

  const files = [
    istioArchive(releases, version),
    ...packaged.map((architecture) => istioPackage(releases, version, architecture)),
  ];
  const within = looking.within ?? ours.sourceLook;
  const answers = files.map(async (file) => {
    const refusals = addressesOf(file).map(async ({ checksums }) => {
      const answer = await ask(checksums, within);
      return 'text' in answer ? undefined : refusalOf(checksums, answer);
    });
    const lacking = await Promise.all(refusals);
    return lacking.includes(undefined) ? undefined : lacking.join(', and ');
  });
  const lacks = await Promise.all([...answers, lackOfTool(tool, looking)]);
  return lacks.find((lack) => lack !== undefined);
}

/** The images come by a container tool; docker has its answer from its engine. */
async function lackOfTool(tool: string, looking: Looking): Promise<string | undefined> {
  const why = await looking
    .attempt([tool, 'version'], { within: ours.toolAnswers })
    .then(
      ({ code, stderr }) => (code === 0 ? undefined : (stderr.trim().split('\n').at(-1) ?? '')),
      messageOf,
    );
  return why === undefined
    ? undefined
    : `its images take CONTAINER_TOOL=${tool}, which cannot be used (${why.split('\n')[0] ?? ''})`;
}
