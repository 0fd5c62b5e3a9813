import { parse, stringify } from 'yaml';
import type { Change } from '#lib/kube/manifest.ts';
import type { Lab } from './lab.ts';
import { patched } from './passing.ts';

/** What the mesh gives its proxies (meshConfig.defaultConfig), with some of it changed. */
export async function otherMeshConfig(lab: Lab, name: string, over: object): Promise<Change> {
  const { istioNamespace: namespace, istioRevision } = lab.settings;
  const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: `istio-${istioRevision}` };
  const { mesh = '' } = ((await lab.kube.get(ref))?.['data'] ?? {}) as Record<string, string>;
  const config = parse(mesh) as { defaultConfig?: object };
  const other = stringify({ ...config, defaultConfig: { ...config.defaultConfig, ...over } });
  return patched(lab, name, { ref, there: { data: { mesh: other } }, back: { data: { mesh } } });
}
