import type { Kube, Ref, Resource } from './client.ts';
import { refOf } from './manifest.ts';

/** The part of a cluster that may be changed. */
export interface Territory {
  /** What marks a namespace, or an object that is in none, as part of it. New namespaces are given these labels. */
  readonly marks: Readonly<Record<string, string>>;
  /** Says no to a change of anything else. */
  outside(what: string): never;
}

/** Whether an object has all of these labels. */
export function marked(object: Resource | undefined, marks: Readonly<Record<string, string>>): boolean {
  const labels = object?.metadata?.labels ?? {};
  return Object.entries(marks).every(([name, value]) => labels[name] === value);
}

/**
 * An API server in which everything can be read, and only what is ours can be changed: what is in namespaces that have
 * the marks, and objects of the cluster that have them. A namespace that is not there yet becomes ours.
 */
export function fenced(kube: Kube, { marks, outside }: Territory): Kube {
  // a namespace that was ours may be gone, but none becomes another's while it is there
  const known = new Set<string>();
  const ours = async (ref: Ref): Promise<boolean> => marked(await kube.get(ref), marks);
  const within = async (name: string): Promise<boolean> => {
    if (!known.has(name) && (await ours(namespaceRef(name)))) known.add(name);
    return known.has(name);
  };
  const cross = async (ref: Ref): Promise<void> => {
    const allowed = ref.namespace === undefined ? await ours(ref) : await within(ref.namespace);
    if (!allowed) outside(`${ref.kind} ${ref.namespace === undefined ? '' : `${ref.namespace}/`}${ref.name}`);
  };
  return {
    ...kube,
    apply: async <T extends Resource>(document: Resource) => {
      const ref = refOf(document);
      if (ref.kind !== 'Namespace') {
        await cross(ref);
        return kube.apply<T>(document);
      }
      const there = await kube.get(ref);
      if (there && !marked(there, marks)) outside(`Namespace ${ref.name}`);
      const labels = { ...document.metadata?.labels, ...marks };
      return kube.apply<T>({ ...document, metadata: Object.assign({}, document.metadata, { labels }) });
    },
    patch: async (ref, change) => {
      await cross(ref);
      await kube.patch(ref, change);
    },
    remove: async (ref, graceSeconds) => {
      // what is not there need not be anybody's
      if (!(await kube.get(ref))) return;
      await cross(ref);
      await kube.remove(ref, graceSeconds);
    },
  };
}

const namespaceRef = (name: string): Ref => ({ apiVersion: 'v1', kind: 'Namespace', name });
