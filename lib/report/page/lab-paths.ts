import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { fixture } from '#lib/base/paths.ts';
import type { Result } from '#lib/report/results.ts';

/** A box of the picture: something that runs in the lab. */
export interface Part {
  title: string;
  note?: string;
  /** The claims that say whether it is there and well. */
  claims: readonly string[];
}

/** A line of the picture: a way through the lab that claims are about. */
export interface Path {
  title: string;
  from: string;
  via?: string;
  to: string;
  /** The port or ports, as they are called for a reader: `15013 → 15012`. */
  port?: string;
  /** Nothing may pass on it, and that is what its claims say. */
  refuses?: boolean;
  claims: readonly string[];
}

/** What the lab looks like and which claims say so; the data of fixtures/paths.yaml. */
export interface LabPaths {
  parts: Readonly<Record<string, Part>>;
  paths: Readonly<Record<string, Path>>;
}

/** What the picture shows, as it stands in the fixtures. */
export const labPaths = (): LabPaths => parse(readFileSync(fixture('paths.yaml'), 'utf8')) as LabPaths;

/**
 * What a run says about a part or a path: `failed` or `broken` (nobody can tell) as soon as one of its claims is,
 * otherwise `proven` when one passed; `blocked` when nobody could look, `unseen` when nobody did.
 */
export type State = 'proven' | 'failed' | 'broken' | 'blocked' | 'unseen';

export interface Standing {
  state: State;
  /** The claims of it that this run has a word on: all but those that were not looked at. */
  looked: readonly Result[];
  /** How many of those passed. */
  passed: number;
}

/** @param claims ids; those that the report does not have count as not looked at */
export function standing(claims: readonly string[], results: readonly Result[]): Standing {
  const wanted = new Set(claims);
  const looked = results.filter(
    ({ id, verdict }) => wanted.has(id) && ['passed', 'failed', 'broken', 'blocked'].includes(verdict),
  );
  const has = (verdict: Result['verdict']): boolean => looked.some((result) => result.verdict === verdict);
  const passed = looked.filter(({ verdict }) => verdict === 'passed').length;
  const state = has('failed')
    ? 'failed'
    : has('broken')
      ? 'broken'
      : passed > 0
        ? 'proven'
        : has('blocked')
          ? 'blocked'
          : 'unseen';
  return { state, looked, passed };
}
