import type { Ref } from '#lib/kube/client.ts';
import type { Change } from '#lib/kube/manifest.ts';
import type { Lab } from './lab.ts';
import { patched } from './passing.ts';

/** An object of the mesh's own namespace, such as the Gateway that exposes istiod. */
export const refTo = (lab: Pick<Lab, 'settings'>, kind: string, name: string): Ref => ({
  apiVersion: 'networking.istio.io/v1',
  kind,
  namespace: lab.settings.istioNamespace,
  name,
});

/** Such an object that is left with the first entry of a list. */
export async function withFirst(lab: Lab, kind: string, name: string, list: string): Promise<Change> {
  const ref = refTo(lab, kind, name);
  const entries = (await lab.kube.get(ref))?.spec?.[list] as unknown[];
  const [there, back] = [entries.slice(0, 1), entries].map((some) => ({ spec: { [list]: some } }));
  return patched(lab, `${kind} ${name} with the first of its ${list} alone`, {
    ref,
    there: there ?? {},
    back: back ?? {},
  });
}
