import { inspect } from 'node:util';
import { BlockedError, LackingError, messageOf } from '#lib/base/errors.ts';
import { redact } from '#lib/base/redact.ts';
import { NotSeenError, type Wait } from '#lib/base/until.ts';

/** In the order in which totals are shown. */
export const verdicts = [
  'passed',
  'failed',
  'broken',
  'blocked',
  'not-applicable',
  'not-implemented',
] as const;
export type Verdict = (typeof verdicts)[number];

/** Something that a proof saw, kept for the report. */
export interface Evidence {
  what: string;
  value: string;
}

/** What came of looking at a claim. */
export interface Judgement {
  verdict: Exclude<Verdict, 'not-implemented'>;
  /** Why, unless it passed. */
  reason?: string;
  expected?: string;
  seen?: string;
  /** The feature that is missing, when it is not applicable. */
  feature?: string;
  /** The layer that is not up, when it is blocked. */
  layer?: string;
}

/** What came of breaking what a claim checks. */
export interface Falsified {
  /** The layer that the falsifier breaks. */
  breaks: string;
  /** Green with nothing broken. */
  before: Judgement;
  /** What was changed, as the change calls itself. */
  change?: string;
  /** What the proof said with the falsifier made. */
  broken?: Judgement;
  /** Green again with the falsifier undone. */
  after?: Judgement;
  /** Why it does not count as killed; absent when it does. */
  survived?: string;
  /** Why no falsifier can be made on this lab. */
  unfalsifiable?: string;
  /** Why the lab does not count as put back; absent when it does. */
  notRestored?: string;
  /** The witnesses that were green before the falsifier was made. */
  witnesses: string[];
  /** Those of them that were not green while it was. */
  alsoRed: string[];
  /** How long each look took with what it was given and its undo, in milliseconds. */
  ms: { before: number; broken?: number; after?: number };
}

/** What a claim's test leaves for the reporters, in `task.meta.claim`. */
export interface Outcome {
  id: string;
  /** The layer that it stands on. */
  standsOn: string;
  /** How long it may take, in milliseconds. */
  within: number;
  evidence: Evidence[];
  /** How long it waited for what to come true; convergence, not a second look. */
  waits: Wait[];
  /** When it looks at this repository instead of the lab. */
  looksAt?: 'repository';
  judgement?: Judgement;
  /** What died in the lab while it was looked at, a sentence each. */
  disturbedBy?: string[];
  /** Where it is told why it failed, relative to the checkout. */
  diagnostics?: string;
  /** Only when claims are falsified. */
  falsified?: Falsified;
}

declare module 'vitest' {
  interface TaskMeta {
    claim?: Outcome;
  }
}

/** Ends a proof: the claim does not apply to this lab, because it lacks the named feature. */
export function notApplicable(feature: string, why: string): never {
  throw new LackingError(feature, why);
}

/** The verdict that an error means when a proof ends with it. What is not known to be the system's fault is broken. */
export function judge(error: unknown): Judgement {
  const reason = messageOf(error);
  if (error instanceof BlockedError) return { verdict: 'blocked', reason, layer: error.layer };
  const lacking = lackingBehind(error);
  if (lacking) return { verdict: 'not-applicable', reason: lacking.message, feature: lacking.feature };
  if (error instanceof NotSeenError) return { verdict: 'failed', reason, seen: error.seen };
  if (isAssertion(error)) return { verdict: 'failed', reason };
  return { verdict: 'broken', reason };
}

/** What the lab was found to lack, however often that was wrapped on its way here. */
function lackingBehind(error: unknown): LackingError | undefined {
  if (error instanceof LackingError) return error;
  return error instanceof Error ? lackingBehind(error.cause) : undefined;
}

/** chai's, node's, and those of expect.extend. */
export function isAssertion(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return error.name === 'AssertionError' || error.constructor.name === 'JestExtendError';
}

const evidenceLimit = 4096;

/** A value as it goes into the report: text or JSON, without secrets, cut at 4 KiB. */
export function evidence(what: string, value: unknown): Evidence {
  const text = redact(typeof value === 'string' ? value : written(value));
  const cut =
    text.length > evidenceLimit
      ? `${text.slice(0, evidenceLimit)}… (${String(text.length)} characters)`
      : text;
  return { what, value: cut };
}

function written(value: unknown): string {
  try {
    // undefined, functions and symbols have no JSON
    const json = JSON.stringify(value, undefined, 2) as unknown;
    return typeof json === 'string' ? json : inspect(value);
  } catch {
    return inspect(value, { depth: 4 });
  }
}
