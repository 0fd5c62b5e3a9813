import { endOf, type EndedProgram } from '#lib/base/ended.ts';
import { clock } from './clock.ts';
import type { Result } from './results.ts';

/** A program of the lab that ended although nobody stopped it, and was started again. */
export interface Restart extends EndedProgram {
  /** The claims that it disturbed: those being looked at, and those that were looked at again because of it. */
  claims: string[];
}

/** What ended since a run was started, with the claims that were being looked at. */
export const restartsIn = (
  ended: readonly EndedProgram[],
  startedAt: Date,
  results: readonly Pick<Result, 'id' | 'startedAt' | 'durationMs' | 'disturbedBy'>[],
): Restart[] =>
  ended
    .filter(({ at }) => Date.parse(at) >= startedAt.getTime())
    .map((one) => ({ ...one, claims: results.filter(disturbedBy(one)).map(({ id }) => id) }));

const disturbedBy = (one: EndedProgram) => {
  const then = during(Date.parse(one.at));
  const said = endOf(one);
  return (result: Parameters<typeof then>[0] & Pick<Result, 'disturbedBy'>): boolean =>
    then(result) || (result.disturbedBy ?? []).some((by) => by.startsWith(said));
};

const during =
  (at: number) =>
  ({ startedAt, durationMs }: Pick<Result, 'startedAt' | 'durationMs'>): boolean => {
    const from = Date.parse(startedAt ?? '');
    return from <= at && at <= from + durationMs;
  };

/** "19:02:26 kubelet on k3s-worker-1 ended by signal KILL after 50.2 s (…), while vm.hosts-file was looked at" */
export const restartLine = (one: Restart): string =>
  `${clock(one.at)} ${endOf(one)}${one.claims.length > 0 ? `, while ${one.claims.join(', ')} ${one.claims.length === 1 ? 'was' : 'were'} looked at` : ''}`;
