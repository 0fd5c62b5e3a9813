import { kubeClient } from '#lib/kube/client.ts';
import type { Lab } from '#lib/layers/lab.ts';
import { recordIn } from './record.ts';
import { markMesh } from './remove.ts';

/** Has a mesh installed into a namespace of the lab's own, and marks what of it is in no namespace. */
export async function installedMarked(lab: Lab, install: () => Promise<void>): Promise<void> {
  const { kube, settings, kubeconfig, dir, name } = lab;
  await kube.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: settings.istioNamespace } });
  await install();
  // not by way of the fence, which lets nobody touch what is not marked yet
  await markMesh(kubeClient(kubeconfig), name, recordIn(dir).before);
}
