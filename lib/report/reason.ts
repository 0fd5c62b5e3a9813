import type { Result } from './results.ts';

/** Why a claim is not passed, to stand beside what was seen: a wait that ended does not show its last look again. */
export function reasonBeside({ reason, seen }: Pick<Result, 'reason' | 'seen'>): string | undefined {
  const [said = '', lastLook] = reason?.split('; last look: ', 2) ?? [];
  return seen?.includes('\n') && lastLook !== undefined ? `${said}.` : reason;
}
