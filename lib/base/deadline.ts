import { patience } from './patience.ts';
import { mostPatience } from './settings.ts';

export const seconds = (n: number): number => n * 1000;
export const minutes = (n: number): number => n * 60_000;

/** How long something may take. Its milliseconds are read when the wait begins, as the patience is measured meanwhile. */
export interface Deadline {
  /** In milliseconds. */
  readonly ms: number;
  /** For a message, such as `30 s (patience 1.5; LAB_PATIENCE=3 gives it 60 s)`. */
  readonly told: string;
  /** What it is by another patience. */
  at(factor: number): number;
  /** The most that it can be, whatever the patience: for who must know before that is measured. */
  readonly mostMs: number;
}

/** A deadline of the table in deadlines.ts. A bare number (ms) is for tests and for what is left of a deadline. */
export type Within = number | Deadline;

export const msOf = (within: Within): number => (typeof within === 'number' ? within : within.ms);

export const toldOf = (within: Within): string =>
  typeof within === 'number' ? inSeconds(within) : within.told;

const inSeconds = (ms: number): string => `${String(Math.round(ms) / 1000)} s`;

/** For a program that takes whole seconds, such as `curl --max-time`. */
export const inWholeSeconds = (within: Within): string => String(Math.ceil(msOf(within) / 1000));

/** The one place where deadlines are stretched: by a factor of 1 or more. */
const stretched = (ms: number, factor: number): number => Math.round(ms * factor);

/** A deadline of ours, by what it is on the reference machine. */
export const stretching = (ms: number): Deadline => deadline((factor) => stretched(ms, factor));

/** A limit that somebody else has set or promised. It is what it is on any machine. */
export const fixed = (ms: number, source: string): Deadline => deadline(() => ms, source);

/** Deadlines one after the other, as one. */
export const together = (...parts: readonly Within[]): Deadline =>
  deadline((factor) => parts.reduce<number>((sum, one) => sum + at(one, factor), 0));

const at = (within: Within, factor: number): number =>
  typeof within === 'number' ? within : within.at(factor);

function deadline(at: (factor: number) => number, source?: string): Deadline {
  return {
    at,
    get ms() {
      return at(patience().factor);
    },
    mostMs: at(mostPatience),
    get told() {
      const { factor } = patience();
      if (source !== undefined || at(1) === at(2))
        return inSeconds(at(1)) + (source === undefined ? '' : ` (${source})`);
      const more = Math.min(mostPatience, Math.ceil(factor * 2));
      const hint = more > factor ? `; LAB_PATIENCE=${String(more)} gives it ${inSeconds(at(more))}` : '';
      return `${inSeconds(at(factor))} (patience ${String(factor)}${hint})`;
    },
  };
}
