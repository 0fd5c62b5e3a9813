import { endOf, type EndedProgram } from '#lib/base/ended.ts';
import { clock } from './clock.ts';
import type { Result } from './results.ts';

/** A program of the lab that ended although nobody stopped it, and was started again. */
export interface Restart extends EndedProgram {
  /** The claims that it disturbed: those being looked at, and those that were looked at again because of it. */
  claims: string[];
}

/** What of a claim's result tells when it was looked at, and what disturbed that. */
type Looked = Pick<Result, 'id' | 'startedAt' | 'durationMs' | 'disturbedBy'>;

/** What ended since a run was started, with the claims that it disturbed. */
export const restartsIn = (
  ended: readonly EndedProgram[],
  startedAt: Date,
  results: readonly Looked[],
): Restart[] =>
  ended
    .filter(({ at }) => Date.parse(at) >= startedAt.getTime())
    .map((one) => ({
      ...one,
      claims: results.filter((result) => during(result, one) || isNamed(result, one)).map(({ id }) => id),
    }));

function during({ startedAt, durationMs }: Looked, { at }: EndedProgram): boolean {
  const [from, then] = [Date.parse(startedAt ?? ''), Date.parse(at)];
  return from <= then && then <= from + durationMs;
}

const isNamed = ({ disturbedBy = [] }: Looked, one: EndedProgram): boolean =>
  disturbedBy.some((by) => by.startsWith(endOf(one)));

/** "19:02:26 kubelet on k3s-worker-1 ended by signal KILL after 50.2 s (…), while vm.hosts-file was looked at" */
export const restartLine = (one: Restart): string =>
  `${clock(one.at)} ${endOf(one)}${one.claims.length > 0 ? `, while ${one.claims.join(', ')} ${one.claims.length === 1 ? 'was' : 'were'} looked at` : ''}`;
