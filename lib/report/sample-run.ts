import type { Conformance } from './conformance.ts';
import { totalsOf, type Result } from './results.ts';

/** What is said of a claim: its verdict, or more. */
type Told = Result['verdict'] | Partial<Result>;

/** A report that is made up, for tests: the claims that are named, all of 01-cluster. */
export function sampleRun(
  claims: Readonly<Record<string, Told>>,
  more: Partial<Conformance> = {},
): Conformance {
  const results = Object.entries(claims).map(([id, told]) => result(id, told));
  return {
    schemaVersion: 1,
    startedAt: '2026-01-02T03:04:05.678Z',
    finishedAt: '2026-01-02T03:05:05.678Z',
    lab: {
      name: 'sample',
      provider: 'local',
      distribution: 'upstream',
      artifactSource: 'modules',
      features: [],
    },
    measured: { istio: '1.27.9' },
    config: { istioVersion: '1.27.9' },
    selection: null,
    totals: totalsOf(results),
    timeline: [],
    restarts: [],
    errors: [],
    cause: null,
    claims: results,
    ...more,
  };
}

const unlessPassed = {
  failed: 'it was not so',
  broken: 'nobody could tell',
  blocked: 'a layer is not up',
} as const;

function result(id: string, told: Told): Result {
  const more = typeof told === 'string' ? { verdict: told } : told;
  const verdict = more.verdict ?? 'passed';
  const reason = verdict in unlessPassed ? unlessPassed[verdict as keyof typeof unlessPassed] : undefined;
  return {
    id,
    suite: '01-cluster',
    class: 'core',
    statement: `What ${id} says.`,
    sources: [{ source: 'guide', section: 'the part on it' }],
    verdict,
    ...(reason === undefined ? {} : { reason }),
    durationMs: 1000,
    evidence: [],
    waits: [],
    rerun: `npx vitest run -t ${id}`,
    ...more,
  };
}
