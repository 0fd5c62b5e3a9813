import type { Kube, Ref, Resource } from './client.ts';
import { refOf } from './manifest.ts';

/** An API server in memory, for tests: what is applied is there, and what is removed with its namespace is gone. */
export interface MadeUpKube extends Kube {
  /** What is there, as "<kind> <namespace>/<name>", in order. */
  names(): string[];
  /** What was changed, in order, such as `remove Namespace sample`. */
  readonly changes: string[];
}

export function madeUpKube(
  objects: readonly Resource[] = [],
  pages: Record<string, string> = {},
): MadeUpKube {
  const there = new Map<string, Resource>();
  const changes: string[] = [];
  const key = ({ kind, namespace, name }: Ref): string =>
    `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
  for (const one of objects) there.set(key(refOf(one)), one);
  return {
    config: undefined as unknown as Kube['config'],
    changes,
    names: () => [...there.keys()].toSorted(),
    apply: async <T extends Resource>(document: Resource) => {
      changes.push(`apply ${key(refOf(document))}`);
      there.set(key(refOf(document)), document);
      return Promise.resolve(document as T);
    },
    get: async <T extends Resource>(ref: Ref) => Promise.resolve(there.get(key(ref)) as T | undefined),
    list: async <T extends Resource>(_: string, kind: string, namespace?: string, labels = '') => {
      const wanted = labels.split(',').filter(Boolean);
      const found = [...there.values()].filter(({ kind: own, metadata }) => {
        const has = Object.entries(metadata?.labels ?? {}).map(([name, value]) => `${name}=${value}`);
        const inside = namespace === undefined || metadata?.namespace === namespace;
        return own === kind && inside && wanted.every((one) => has.includes(one));
      });
      // a list leaves out what heads its objects
      return Promise.resolve(found.map(({ kind: _kind, apiVersion: _version, ...rest }) => rest as T));
    },
    remove: async (ref) => {
      changes.push(`remove ${key(ref)}`);
      there.delete(key(ref));
      const inside = ref.kind === 'Namespace' ? [...there] : [];
      for (const [name, { metadata }] of inside) if (metadata?.namespace === ref.name) there.delete(name);
      return Promise.resolve();
    },
    patch: async (ref, change) => {
      changes.push(`patch ${key(ref)}`);
      const { metadata: before, ...rest } = there.get(key(ref)) ?? {};
      const { metadata, ...other } = change as Resource;
      const labels = { ...before?.labels, ...metadata?.labels };
      there.set(key(ref), { ...rest, ...other, metadata: Object.assign({}, before, metadata, { labels }) });
      return Promise.resolve();
    },
    raw: async (path) => {
      const page = pages[path];
      if (page === undefined) throw new Error(`GET ${path} of the API server: 404 not found`);
      return Promise.resolve(page);
    },
  };
}
