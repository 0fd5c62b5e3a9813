import { redact } from '#lib/base/redact.ts';
import { falsifierMap } from '#lib/claims/falsifier-map.ts';
import type { Selection } from '#lib/claims/selection.ts';
import { likelyCause, type Cause } from './cause.ts';
import type { LabFacts, Span } from './lab-facts.ts';
import { restartsIn, type Restart } from './restarts.ts';
import { totalsOf, type Result, type Totals } from './results.ts';

/** What conformance.json holds; conformance.schema.json beside this file is its contract. */
export interface Conformance {
  schemaVersion: 1;
  startedAt: string;
  finishedAt: string;
  lab: LabFacts['lab'];
  /** Read from the running system. */
  measured: Record<string, string>;
  /** The settings of the run. */
  config: Record<string, unknown>;
  /** What was asked for, when that was less than everything. */
  selection: { filters: string[]; pattern: string | null } | null;
  totals: Totals;
  /** How long the layers took. */
  timeline: Span[];
  /** The programs of the lab that ended in this run although nobody stopped them, and were started again. */
  restarts: Restart[];
  /** What went wrong outside of any claim. */
  errors: string[];
  /** What most likely made the run red; null when it is not. */
  cause: Cause | null;
  claims: Result[];
}

interface Run {
  startedAt: Date;
  finishedAt: Date;
  selection: Selection;
  results: Result[];
  outside: readonly string[];
  facts: LabFacts;
}

/** Everything that is known about a run, without secrets. */
export function conformance({ startedAt, finishedAt, selection, results, outside, facts }: Run): Conformance {
  const { filters, pattern, partial } = selection;
  return withoutSecrets({
    schemaVersion: 1,
    startedAt: startedAt.toISOString(),
    finishedAt: finishedAt.toISOString(),
    lab: facts.lab,
    measured: facts.measured,
    config: facts.config,
    selection: partial ? { filters: [...filters], pattern: pattern ?? null } : null,
    totals: totalsOf(results),
    timeline: facts.timeline,
    restarts: restartsIn(facts.ended, startedAt, results),
    errors: [...outside],
    cause: likelyCause(results, falsifierMap()) ?? null,
    claims: results,
  });
}

/** The same value with every text in it redacted. */
export function withoutSecrets<T>(value: T): T {
  if (typeof value === 'string') return redact(value) as T;
  if (Array.isArray(value)) return value.map(withoutSecrets) as T;
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, held]) => [key, withoutSecrets<unknown>(held)]),
  ) as T;
}
