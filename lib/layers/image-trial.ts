import { debianName, ownArchitecture } from '#lib/artifacts/architecture.ts';
import { run } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { fixture } from '#lib/base/paths.ts';
import { until } from '#lib/base/until.ts';
import type { Resource } from '#lib/kube/client.ts';
import { applying } from '#lib/kube/manifest.ts';
import { podGone } from './client-pod.ts';
import type { Lab } from './lab.ts';

/** The architecture that this host does not have, in the words of images. */
export const otherArchitecture = debianName(ownArchitecture === 'arm64' ? 'x64' : 'arm64');

/** The text of helloworld's manifest, as `sed -E` with these words leaves it. */
export const helloworldBySed = async (words: string): Promise<string> =>
  (await run(['sed', '-E', words, fixture('04-traffic', 'helloworld.yaml')])).stdout;

/**
 * What comes of running an image on a node, without a sidecar: `running`, or why it is not, in the words of the node.
 */
export async function runOn(lab: Lab, node: string, image: string): Promise<string> {
  const { kube } = lab;
  const ref = { apiVersion: 'v1', kind: 'Pod', name: 'image-trial', namespace: 'sample' };
  const { name, namespace } = ref;
  const labels = { 'sidecar.istio.io/inject': 'false' };
  const containers = [{ name: 'trial', image, imagePullPolicy: 'IfNotPresent' }];
  await kube.remove(ref, 0);
  await podGone(lab, namespace, name);
  await using pod = await applying(kube, [
    {
      ...{ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, labels } },
      spec: { nodeName: node, terminationGracePeriodSeconds: 0, containers },
    },
  ]);
  const state = await until(
    `${node} runs ${image} in ${pod.name}, or says why not`,
    async () => stateOf(await kube.get(ref)),
    (seen) => seen !== undefined,
    { within: ours.podReady, every: 200 },
  );
  return state ?? '';
}

interface ContainerState {
  running?: object;
  waiting?: { reason?: string; message?: string };
  terminated?: { reason?: string; message?: string };
}

/** How the first container of a pod is; undefined while it is being made. */
function stateOf(seen: Resource | undefined): string | undefined {
  const [container] = (seen?.status?.['containerStatuses'] ?? []) as { state: ContainerState }[];
  const { running, waiting, terminated } = container?.state ?? {};
  if (running) return 'running';
  const { reason = '', message = '' } = waiting ?? terminated ?? {};
  return message === '' ? undefined : `${reason}: ${message}`;
}
