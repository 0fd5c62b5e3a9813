import { parse } from 'yaml';
import type { Kube } from '#lib/kube/client.ts';
import { pod, type Reach } from './places.ts';
import { wholeJson } from './whole.ts';

interface Control {
  readonly kube: Kube;
  readonly settings: { readonly istioNamespace: string; readonly istioRevision: string };
}

/** A page of the running istiod's own debug interface, such as /debug/networkz, as JSON. */
export async function debugPage<T>(lab: Control & Reach, path: string): Promise<T> {
  const { istioNamespace, istioRevision } = lab.settings;
  const istiod = pod(lab, istioNamespace, `deploy/istiod-${istioRevision}`, 'discovery');
  const name = `istiod-${istioRevision}`;
  return wholeJson(`${name}, asked for ${path},`, async () => {
    const { stdout, stderr, code } = await istiod.attempt(['pilot-discovery', 'request', 'GET', path]);
    if (code !== 0) throw new Error(`${name} did not answer GET ${path}: ${stderr.trim() || stdout.trim()}`);
    return stdout;
  });
}

/** The mesh's settings in effect: the mesh itself, and the values that sidecars are injected with. */
export async function meshSettings({
  kube,
  settings,
}: Control): Promise<{ mesh: MeshConfig; values: InjectedValues }> {
  const { istioNamespace, istioRevision } = settings;
  const read = async (name: string, key: string): Promise<unknown> => {
    const found = await kube.get({ apiVersion: 'v1', kind: 'ConfigMap', namespace: istioNamespace, name });
    const text = (found?.['data'] as Record<string, string> | undefined)?.[key];
    if (text === undefined)
      throw new Error(`ConfigMap ${name} of namespace ${istioNamespace} has no ${key}.`);
    return parse(text);
  };
  return {
    mesh: (await read(`istio-${istioRevision}`, 'mesh')) as MeshConfig,
    values: (await read(`istio-sidecar-injector-${istioRevision}`, 'values')) as InjectedValues,
  };
}

interface MeshConfig {
  defaultConfig?: { meshId?: string };
}

interface InjectedValues {
  global?: { meshID?: string; network?: string; multiCluster?: { clusterName?: string } };
}

/** The certificates that the mesh trusts, as each namespace has them (root-cert.pem of the workload's files). */
export async function meshRoots({ kube, settings }: Control): Promise<string> {
  const namespace = settings.istioNamespace;
  const found = await kube.get({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    namespace,
    name: 'istio-ca-root-cert',
  });
  const roots = (found?.['data'] as Record<string, string> | undefined)?.['root-cert.pem'];
  if (roots === undefined)
    throw new Error(`Namespace ${namespace} has no ConfigMap istio-ca-root-cert with root-cert.pem.`);
  return roots;
}
