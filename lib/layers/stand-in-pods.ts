import type { Change } from '#lib/kube/manifest.ts';
import { applying } from '#lib/kube/manifest.ts';
import type { Lab } from './lab.ts';
import { orUndone } from './passing.ts';

interface Shape {
  name: string;
  namespace: string;
  labels?: Readonly<Record<string, string>>;
  env?: Readonly<Record<string, string>>;
  /** The address that it is said to have. */
  address?: string;
}

/** A pod that no scheduler takes, so that nothing of it runs: for what is told of pods. */
export async function standInPod(
  lab: Lab,
  { name, namespace, labels = {}, env = {}, address }: Shape,
): Promise<Change> {
  const made = await applying(lab.kube, [
    {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace, labels },
      spec: {
        schedulerName: 'nobody',
        containers: [
          {
            name: 'nothing',
            image: 'nothing',
            env: Object.entries(env).map(([key, value]) => ({ name: key, value })),
          },
        ],
      },
    },
  ]);
  if (address === undefined) return made;
  const patch = JSON.stringify({ status: { podIP: address, podIPs: [{ ip: address }] } });
  const words = ['patch', 'pod', name, '-n', namespace, '--subresource=status', '--type=merge', '-p', patch];
  await orUndone(made, async () => lab.kubectl(words));
  return made;
}
