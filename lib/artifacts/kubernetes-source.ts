import type { Within } from '#lib/base/deadline.ts';
import { RefusedError } from '#lib/base/errors.ts';
import type { Settings } from '#lib/base/settings.ts';
import { lackOfK3s } from './release/k3s.ts';

/** Which Kubernetes the machines of this run get and, for whoever watches, why. */
export interface KubernetesSource {
  is: 'upstream' | 'k3s';
  why: string;
}

/**
 * Decides which Kubernetes is put on the machines, as LAB_DISTRIBUTION has it: `auto` takes k3s for machines of
 * multipass, as the article has it, when its release can be had now. Nothing is fetched or changed.
 *
 * @param looking.within how long the release's address may take to answer
 * @throws RefusedError that says why there is no k3s, when it was asked for
 */
export async function kubernetesSource(
  { lab }: Pick<Settings, 'lab'>,
  looking: { within?: Within } = {},
): Promise<KubernetesSource> {
  const { distribution: asked, provider, artifactSource, k3sVersion } = lab;
  if (asked === 'upstream') return { is: 'upstream', why: 'LAB_DISTRIBUTION=upstream' };
  if (asked === 'auto' && provider !== 'multipass')
    return { is: 'upstream', why: 'nodes of the local provider are made for it' };
  const lack =
    artifactSource === 'modules'
      ? 'ARTIFACT_SOURCE=modules leaves its release out'
      : await lackOfK3s({ lab }, looking);
  if (lack === undefined) return { is: 'k3s', why: `the release of ${k3sVersion} can be had` };
  if (asked === 'k3s')
    throw new RefusedError(`LAB_DISTRIBUTION=k3s has no k3s ${k3sVersion} for this run: ${lack}.`);
  return { is: 'upstream', why: `k3s ${k3sVersion} cannot be had: ${lack}` };
}
