import type { Catalogue, Claim } from './catalogue.ts';
import type { Proof } from './implemented.ts';

/** The claims that no suite proves, by id. */
export function unproved(claims: readonly Claim[], proofs: readonly Proof[]): string[] {
  const proved = new Set(proofs.map(({ id }) => id));
  return claims.filter(({ id }) => !proved.has(id)).map(({ id }) => id);
}

/** Ids that were and are no more, and those that nobody listed. Ids never change, so both should be empty. */
export function idChanges(
  listed: readonly string[],
  claims: readonly Claim[],
): { gone: string[]; unlisted: string[] } {
  const ids = claims.map(({ id }) => id);
  return {
    gone: listed.filter((id) => !ids.includes(id)),
    unlisted: ids.filter((id) => !listed.includes(id)),
  };
}

/** The sections of the sources that no claim comes from although they are not silent, as `<source>: <section>`. */
export function uncited({ claims, sources }: Pick<Catalogue, 'claims' | 'sources'>): string[] {
  return Object.entries(sources).flatMap(([name, { sections, silent = {} }]) =>
    sections
      .filter((section) => !(section in silent))
      .filter(
        (section) =>
          !claims.some((claim) =>
            claim.sources.some((cited) => cited.source === name && cited.section === section),
          ),
      )
      .map((section) => `${name}: ${section}`),
  );
}
