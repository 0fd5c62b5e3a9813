import { readFileSync } from 'node:fs';
import { parseAllDocuments } from 'yaml';
import { manifestFile } from '#lib/base/overlay.ts';
import type { Kube, Ref, Resource } from './client.ts';

/** Values put in place of ${NAME} in a manifest; a name without a value is an error. */
export type Values = Readonly<Record<string, string | number>>;

/**
 * The documents of a manifest under fixtures/, or of what takes its place (FIXTURES_OVERLAY).
 *
 * @param file such as '05-policy/mtls.yaml'
 * @throws Error that names the file when it cannot be read as YAML or a ${NAME} has no value
 */
export function manifest(file: string, values: Values = {}): Resource[] {
  const text = readFileSync(manifestFile(file), 'utf8').replaceAll(/\$\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`fixtures/${file} wants \${${name}}, which was not given.`);
    return String(value);
  });
  return parseAllDocuments(text).flatMap((document) => {
    if (document.errors.length > 0)
      throw new Error(`fixtures/${file} is not YAML: ${document.errors.join('; ')}`);
    const resource = document.toJS() as Resource | null;
    return resource ? [resource] : [];
  });
}

export function refOf({ apiVersion, kind, metadata }: Resource): Ref {
  const { name, namespace } = metadata ?? {};
  if (!apiVersion || !kind || !name)
    throw new Error(`Not an object with a name: ${JSON.stringify({ apiVersion, kind, name })}`);
  return { apiVersion, kind, name, ...(namespace === undefined ? {} : { namespace }) };
}

/** @throws Error that names what is not there */
export async function allThere(kube: Pick<Kube, 'get'>, documents: readonly Resource[]): Promise<void> {
  const found = await Promise.all(documents.map(async (document) => kube.get(refOf(document))));
  const missing = documents.filter((_, i) => !found[i]);
  if (missing.length > 0) throw new Error(`There is no ${missing.map(nameOf).join(', ')}.`);
}

/** Something changed in the cluster that can be put back; `undo` runs by itself at the end of an `await using` block. */
export interface Change extends AsyncDisposable {
  /** What was applied, for messages. */
  readonly name: string;
  undo(): Promise<void>;
}

/** A change with a name and an undo that runs once. */
export function change(name: string, undo: () => Promise<void>): Change {
  let undone: Promise<void> | undefined;
  const once = async (): Promise<void> => {
    undone ??= undo();
    return undone;
  };
  return { name, undo: once, [Symbol.asyncDispose]: once };
}

/** Applies documents in order; the undo deletes them in reverse. */
export async function applying(
  kube: Kube,
  documents: readonly Resource[],
  name = documents.map(nameOf).join(', '),
): Promise<Change> {
  for (const document of documents) await kube.apply(document);
  return change(name, async () => {
    for (const document of documents.toReversed()) await kube.remove(refOf(document), 0);
  });
}

const nameOf = ({ kind, metadata }: Resource): string => `${kind ?? '?'} ${metadata?.name ?? '?'}`;
