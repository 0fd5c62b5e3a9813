import { RefusedError } from '#lib/base/errors.ts';
import type { Catalogue } from './catalogue.ts';
import type { Proof } from './implemented.ts';
import { nearest } from './nearest.ts';

/** What a run was asked for. */
export interface Asked {
  /** The words that vitest filters files by, none of them an absolute path. */
  filters: readonly string[];
  /** The pattern of `-t`, and how it was written. */
  pattern?: Pattern | undefined;
  /** The test files that vitest chose, relative to the folder of the suites. */
  files: readonly string[];
}

export interface Pattern {
  written: string;
  test: (id: string) => boolean;
}

export interface Selection {
  /** Whether less than everything was asked for. */
  partial: boolean;
  filters: readonly string[];
  pattern?: string;
  /** The claims that were asked for, implemented or not. */
  ids: ReadonlySet<string>;
}

/**
 * The files that a pattern needs, so that no other has to be read.
 *
 * @throws RefusedError when it fits no claim, or none that is implemented
 */
export function filesFor(pattern: Pattern, { claims }: Catalogue, proofs: readonly Proof[]): string[] {
  const named = claims.filter(({ id }) => pattern.test(id));
  if (named.length === 0) throw new RefusedError(noSuchClaim(pattern, claims));
  const needed = proofs.filter(({ id }) => pattern.test(id));
  if (needed.length === 0) throw new RefusedError(notImplemented(named));
  return [...new Set(needed.map(({ file }) => file))];
}

/**
 * Which claims a run was asked for. A file stands for the claims that it proves; a suite of which every file was
 * chosen also stands for its claims that nobody implemented yet.
 *
 * @throws RefusedError when a filter or the pattern fits nothing that could be looked at
 */
export function select(
  { filters, pattern, files }: Asked,
  { claims }: Catalogue,
  proofs: readonly Proof[],
): Selection {
  for (const filter of filters) {
    if (!proofs.some(({ file }) => fits(file, filter))) throw new RefusedError(noSuchFile(filter, proofs));
  }
  const chosen = new Set(files);
  const named = claims.filter(({ id }) => pattern?.test(id) ?? true);
  const needed = proofs.filter(({ id }) => pattern?.test(id) ?? true);
  const found = needed.filter(({ file }) => chosen.has(file));
  if (found.length === 0)
    throw new RefusedError(needed[0] ? elsewhere(filters, needed) : notImplemented(named));

  const everything = found.length === needed.length;
  const partlyChosen = new Set(needed.filter(({ file }) => !chosen.has(file)).map(suiteOf));
  const wholeSuites = new Set(found.map(suiteOf).filter((suite) => !partlyChosen.has(suite)));
  const proved = new Set(needed.map(({ id }) => id));
  const provedHere = new Set(found.map(({ id }) => id));
  const asked = named.filter(({ id, suite }) =>
    proved.has(id) ? provedHere.has(id) : everything || wholeSuites.has(suite),
  );
  return {
    partial: pattern !== undefined || !everything,
    filters,
    ...(pattern ? { pattern: pattern.written } : {}),
    ids: new Set(asked.map(({ id }) => id)),
  };
}

const suiteOf = ({ file }: Proof): string => file.split('/')[0] ?? '';

/** As vitest does it: a part of the path from the checkout. */
function fits(file: string, filter: string): boolean {
  return `suites/${file}`.toLowerCase().includes(filter.replace(/^\.\//, '').toLowerCase());
}

function noSuchFile(filter: string, proofs: readonly Proof[]): string {
  const files = new Set(proofs.flatMap((proof) => [`suites/${proof.file}`, `suites/${suiteOf(proof)}`]));
  return `No test file fits "${filter}". Near it: ${nearest(filter, files).join(', ')}.`;
}

function noSuchClaim({ written }: Pattern, claims: Catalogue['claims']): string {
  const near = nearest(
    written,
    claims.map(({ id }) => id),
  );
  return `No claim of the catalogue fits -t "${written}". Near it: ${near.join(', ')}.`;
}

function notImplemented(named: Catalogue['claims']): string {
  const some = named.slice(0, 3).map(({ id }) => id);
  return `What was asked for is in the catalogue, but not yet implemented: ${some.join(', ')}${named.length > 3 ? ', …' : ''}.`;
}

function elsewhere(filters: readonly string[], needed: readonly Proof[]): string {
  const some = needed.slice(0, 3).map(({ id, file }) => `${id} in suites/${file}`);
  return `Nothing that was asked for is in ${filters.join(', ') || 'the chosen projects'}; it is elsewhere: ${some.join(', ')}.`;
}
