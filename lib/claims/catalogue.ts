import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { fixture } from '#lib/base/paths.ts';
import { nearest } from './nearest.ts';

export const suites = ['01-cluster', '02-istio', '03-vm', '04-traffic', '05-policy'] as const;
export type Suite = (typeof suites)[number];

/** One testable sentence of a source. */
export interface Claim {
  /** Stable and dotted, such as `vm.hosts-file`. */
  id: string;
  /** Where it is proved; follows from the file that the claim stands in. */
  suite: Suite;
  statement: string;
  /** What is asserted where the documented form is wrong or too coarse. */
  corrected?: string;
  sources: { source: string; section: string }[];
  /** How it is observed, in words. */
  how: string[];
  /** The one change after which the claim must go red, in words. */
  falsifier: string;
  /** The Istio versions that the sources state it for. */
  versions: string[];
  /** The first and the last version of Istio that it holds in, as far as it is bound; `1.9` stands for all of 1.9.x. */
  since?: string;
  until?: string;
  /** What a lab must have to look at it, in words. */
  needs: string[];
  class: 'core' | 'extended';
  origin: 'stated' | 'script' | 'derived';
  /** What reading found about it before any run, such as `expected` or `documented-wrong`. */
  assessment: string;
  portable: boolean;
  portableReason?: string;
  portableEquivalent?: string;
  evidence?: string;
  note?: string;
  /** What the running system showed where it differs from the source, or settles what the source leaves open. */
  found?: readonly Finding[];
}

/** What was seen in these versions of Istio. */
export interface Finding {
  istio: readonly string[];
  seen: string;
}

export interface Source {
  title: string;
  url?: string;
  /** Its headings, in order. */
  sections: readonly string[];
  /** Why no claim comes from a section, by its heading. */
  silent?: Readonly<Record<string, string>>;
}

export interface Catalogue {
  /** In order of id. */
  readonly claims: readonly Claim[];
  readonly sources: Readonly<Record<string, Source>>;
  /** @throws CatalogueError that lists ids like it */
  get(id: string): Claim;
  has(id: string): boolean;
}

/** The catalogue contradicts itself, or was asked for a claim that it does not have. */
export class CatalogueError extends Error {
  override name = 'CatalogueError';
}

const homes: Readonly<Record<string, readonly Suite[]>> = {
  cluster: ['01-cluster'],
  istio: ['02-istio'],
  hist: ['02-istio'],
  vm: ['03-vm'],
  // token and certificate lifetime is looked at last, because it takes the longest
  life: ['03-vm', '05-policy'],
  // what stops the agent is looked at while it is stopped for others
  traffic: ['04-traffic', '03-vm'],
  obs: ['04-traffic'],
  policy: ['05-policy'],
};

const required = [
  ...(['id', 'statement', 'sources', 'how', 'falsifier', 'versions', 'needs', 'class', 'origin'] as const),
  ...(['assessment', 'portable'] as const),
];

/**
 * Reads the claims of a folder: `<suite>.yaml` or `<suite>/<topic>.yaml`, and what sources.yaml says about the sources.
 *
 * @param only a suite, when the others are not of interest; reading all takes a third of a second
 * @throws CatalogueError with the file and the claim concerned
 */
export function catalogue(folder = fixture('claims'), only?: Suite): Catalogue {
  const byId = new Map<string, Claim>();
  const sources = parse(readFileSync(join(folder, 'sources.yaml'), 'utf8')) as Record<string, Source>;
  for (const file of claimFiles(folder)) {
    if (only && !file.startsWith(only)) continue;
    for (const claim of claimsIn(folder, file)) {
      if (byId.has(claim.id))
        throw new CatalogueError(`${file}: the id ${claim.id} is taken; ids are unique in the catalogue.`);
      for (const { source, section } of claim.sources) {
        const cited = sources[source];
        if (!cited)
          throw new CatalogueError(`${file}: ${claim.id} cites ${source}, which sources.yaml does not have.`);
        if (!cited.sections.includes(section)) {
          const near = nearest(section, cited.sections).join('", "');
          throw new CatalogueError(
            `${file}: ${claim.id} cites section "${section}" of ${source}, which has none of that name. Near it: "${near}".`,
          );
        }
      }
      byId.set(claim.id, claim);
    }
  }
  const claims = [...byId.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
  return {
    claims,
    sources,
    has: (id) => byId.has(id),
    get: (id) => {
      const claim = byId.get(id);
      if (claim) return claim;
      throw new CatalogueError(
        `The catalogue has no claim ${id}. Near it: ${nearest(id, byId.keys()).join(', ')}.`,
      );
    },
  };
}

function claimFiles(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  return files.filter((file) => file.endsWith('.yaml') && file !== 'sources.yaml').sort();
}

function claimsIn(folder: string, file: string): Claim[] {
  const suite = suites.find((name) => file === `${name}.yaml` || file.startsWith(`${name}/`));
  if (!suite)
    throw new CatalogueError(
      `${file} belongs to no suite; its path must start with one of ${suites.join(', ')}.`,
    );
  const entries = parse(readFileSync(join(folder, file), 'utf8')) as Partial<Claim>[] | null;
  return (entries ?? []).map((entry, place) => checked(entry, suite, `${file}, claim ${String(place + 1)}`));
}

function checked(entry: Partial<Claim>, suite: Suite, where: string): Claim {
  const missing = required.filter((field) => entry[field] === undefined || entry[field] === '');
  if (missing.length > 0)
    throw new CatalogueError(`${where} (${entry.id ?? 'without id'}) lacks: ${missing.join(', ')}.`);
  if (entry.found !== undefined && !Array.isArray(entry.found))
    throw new CatalogueError(`${where} (${entry.id ?? ''}): found must be a list of { istio, seen }.`);
  for (const field of ['since', 'until'] as const) {
    const bound: unknown = entry[field];
    if (bound !== undefined && !(typeof bound === 'string' && /^\d+(\.\d+){1,2}$/.test(bound)))
      throw new CatalogueError(
        `${where} (${entry.id ?? ''}): ${field} must be a version in quotes, such as '1.9' or '1.27.9'; got ${JSON.stringify(bound)}.`,
      );
  }
  const claim = { ...entry, suite } as Claim;
  const prefix = claim.id.split('.')[0] ?? '';
  const allowed = homes[prefix];
  if (!allowed) {
    throw new CatalogueError(
      `${where}: ${claim.id} has an unknown prefix; known are ${Object.keys(homes).join(', ')}.`,
    );
  }
  if (!allowed.includes(suite)) {
    throw new CatalogueError(`${where}: ${claim.id} belongs to ${allowed.join(' or ')}, not to ${suite}.`);
  }
  return claim;
}
