import type { Claim } from '#lib/claims/catalogue.ts';
import type { Result } from './results.ts';

/** A claim of the catalogue, as far as versions go. */
export type Bounded = Pick<Claim, 'id' | 'since' | 'until'>;

/** What a source says of the versions that a claim holds in, and what the versions of a matrix say to it. */
export interface Bound {
  since?: string;
  until?: string;
  /**
   * `proved`: passed in every version within that was looked at and failed in every one outside, and there were both;
   * `consistent`: the same, but one of the two sides was not looked at; `contradicted`: it failed within, or passed
   * outside; `not-looked-at`: neither.
   */
  outcome: 'proved' | 'consistent' | 'contradicted' | 'not-looked-at';
  /** The versions that contradict it, each with what was seen. */
  contradictedBy: string[];
}

interface Seen {
  /** What the run is called. */
  version: string;
  istio: string;
  verdict: Result['verdict'];
}

/** Whether the versions bear out what bounds a claim; undefined for a claim without bounds. */
export function boundOf({ since, until }: Omit<Bounded, 'id'>, seen: readonly Seen[]): Bound | undefined {
  if (since === undefined && until === undefined) return undefined;
  const looked = seen
    .filter(({ verdict }) => verdict === 'passed' || verdict === 'failed')
    .map(({ version, istio, verdict }) => ({
      version,
      passed: verdict === 'passed',
      within: holds(istio, since, until),
    }));
  const against = looked.filter(({ passed, within }) => passed !== within);
  const bothSides = looked.some(({ within }) => within) && looked.some(({ within }) => !within);
  return {
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
    outcome:
      looked.length === 0
        ? 'not-looked-at'
        : against.length > 0
          ? 'contradicted'
          : bothSides
            ? 'proved'
            : 'consistent',
    contradictedBy: against.map(({ version, passed }) => `${version}: ${passed ? 'passed' : 'failed'}`),
  };
}

/** Whether a version lies within bounds, both of which belong to it; `1.9` stands for all of 1.9.x. */
function holds(version: string, since?: string, until?: string): boolean {
  return (
    (since === undefined || compared(version, since) >= 0) &&
    (until === undefined || compared(version, until) <= 0)
  );
}

/** Below, at or above a bound, as far as the bound goes; master is above all. */
function compared(version: string, bound: string): number {
  if (!/^\d/.test(version)) return 1;
  const parts = version.split('.').map(Number);
  for (const [place, wanted] of bound.split('.').map(Number).entries()) {
    const difference = (parts[place] ?? 0) - wanted;
    if (difference !== 0) return difference;
  }
  return 0;
}
