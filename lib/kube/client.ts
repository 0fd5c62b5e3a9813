import { get, type RequestOptions } from 'node:https';
import {
  ApiException,
  KubeConfig,
  KubernetesObjectApi,
  PatchStrategy,
  type KubernetesObject,
} from '@kubernetes/client-node';
import { ours } from '#lib/base/deadlines.ts';
import { recording } from '#lib/base/recorder.ts';

/** An object as the API server sends it. */
export interface Resource extends KubernetesObject {
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
  [field: string]: unknown;
}

export interface Ref {
  apiVersion: string;
  kind: string;
  name: string;
  namespace?: string;
}

/** The only door to the API server. Every method throws ApiException when the server refuses. */
export interface Kube {
  readonly config: KubeConfig;
  /** Server-side apply, forced: the object becomes what the document says. */
  apply<T extends Resource = Resource>(document: Resource): Promise<T>;
  /** The object, or undefined when there is none. */
  get<T extends Resource = Resource>(ref: Ref): Promise<T | undefined>;
  list<T extends Resource = Resource>(
    apiVersion: string,
    kind: string,
    namespace?: string,
    labels?: string,
  ): Promise<T[]>;
  /** Deletes the object; it may be gone already. */
  remove(ref: Ref, graceSeconds?: number): Promise<void>;
  /** A merge patch; `null` removes a field. */
  patch(ref: Ref, change: object): Promise<void>;
  /** The body of a GET on any path of the API server, such as /version or …/log. */
  raw(path: string): Promise<string>;
}

const manager = 'istio-vm-conformance';

/** Connects by a kubeconfig file. Nothing is sent before the first call. */
export function kubeClient(kubeconfig: string): Kube {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const api = KubernetesObjectApi.makeApiClient(config);
  const headed = ({ apiVersion, kind, name, namespace }: Ref): Resource & { metadata: { name: string } } => ({
    apiVersion,
    kind,
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
  });
  return {
    config,
    apply: async <T extends Resource>(document: Resource) =>
      recording(
        `apply ${namedAs(document.kind, document.metadata)}`,
        async () =>
          api.patch(
            asModelled(document),
            undefined,
            undefined,
            manager,
            true,
            PatchStrategy.ServerSideApply,
          ) as unknown as Promise<T>,
      ),
    get: async <T extends Resource>(ref: Ref) =>
      orUndefined(async () => api.read(headed(ref)) as unknown as Promise<T>),
    list: async <T extends Resource>(
      apiVersion: string,
      kind: string,
      namespace?: string,
      labels?: string,
    ) => {
      const found = await api.list(
        apiVersion,
        kind,
        namespace,
        undefined,
        undefined,
        undefined,
        undefined,
        labels,
      );
      return found.items as T[];
    },
    remove: async (ref, graceSeconds) => {
      await recording(`remove ${namedAs(ref.kind, ref)}`, async () =>
        orUndefined(async () => api.delete(headed(ref), undefined, undefined, graceSeconds)),
      );
    },
    patch: async (ref, change) => {
      await recording(`patch ${namedAs(ref.kind, ref)}`, async () =>
        api.patch(
          withMetadata(headed(ref), change),
          undefined,
          undefined,
          manager,
          undefined,
          PatchStrategy.MergePatch,
        ),
      );
    },
    raw: async (path) => raw(config, path),
  };
}

/** Such as "Pod sample/curl". */
const namedAs = (kind = '?', { name = '?', namespace }: { name?: string; namespace?: string } = {}): string =>
  `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;

/**
 * The document as the client's models have it: they call the field `from` of a NetworkPolicy by another name, and would
 * send a rule without it, which lets everybody in.
 */
export function asModelled(document: Resource): Resource {
  const ingress = document.spec?.['ingress'];
  if (document.kind !== 'NetworkPolicy' || !Array.isArray(ingress)) return document;
  const rules = (ingress as { from?: unknown }[]).map(({ from, ...rule }) =>
    from === undefined ? rule : { ...rule, _from: from },
  );
  return { ...document, spec: { ...document.spec, ingress: rules } };
}

/** A change that says something about the metadata must not lose the name. */
function withMetadata(head: Resource, change: object & { metadata?: object }): Resource {
  return Object.assign({}, head, change, { metadata: Object.assign({}, head.metadata, change.metadata) });
}

/** The HTTP status of a refusal by the API server, or undefined for any other error. */
export const refusalOf = (error: unknown): number | undefined =>
  error instanceof ApiException ? error.code : undefined;

async function orUndefined<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (refusalOf(error) === 404) return undefined;
    throw error;
  }
}

async function raw(config: KubeConfig, path: string): Promise<string> {
  const options: RequestOptions = { timeout: ours.apiAnswers.ms };
  await config.applyToHTTPSOptions(options);
  return new Promise((resolve, reject) => {
    const request = get(new URL(path, config.getCurrentCluster()?.server), options, (answer) => {
      let body = '';
      answer.setEncoding('utf8');
      answer.on('data', (part: string) => (body += part));
      answer.on('error', reject);
      answer.on('end', () => {
        const { statusCode = 0 } = answer;
        if (statusCode < 300) resolve(body);
        else reject(new Error(`GET ${path} of the API server: ${String(statusCode)} ${body.slice(0, 500)}`));
      });
    });
    request.on('timeout', () =>
      request.destroy(new Error(`GET ${path} of the API server: no answer in ${ours.apiAnswers.told}`)),
    );
    request.on('error', reject);
  });
}
