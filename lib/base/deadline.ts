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
  /** The most that it can be, whatever the patience: for who must know before that is measured. */
  readonly mostMs: number;
}

/** A deadline of the table in deadlines.ts. A bare number (ms) is for tests and for what is left of a deadline. */
export type Within = number | Deadline;

export const msOf = (within: Within): number => (typeof within === 'number' ? within : within.ms);

export const toldOf = (within: Within): string =>
  typeof within === 'number' ? inSeconds(within) : within.told;

const inSeconds = (ms: number): string => `${String(Math.round(ms) / 1000)} s`;

/** The one place where a deadline of ours is stretched. */
const stretched = (ms: number, factor: number): number => Math.round(ms * factor);

/** A deadline of ours, on the reference machine. */
export const stretching = (ms: number): Deadline => ({
  get ms() {
    return stretched(ms, patience().factor);
  },
  get told() {
    const { factor } = patience();
    const more = Math.min(mostPatience, Math.ceil(factor * 2));
    const hint =
      more > factor ? `; LAB_PATIENCE=${String(more)} gives it ${inSeconds(stretched(ms, more))}` : '';
    return `${inSeconds(stretched(ms, factor))} (patience ${String(factor)}${hint})`;
  },
  mostMs: stretched(ms, mostPatience),
});

/** A limit that somebody else has set or promised. It is what it is on any machine. */
export const fixed = (ms: number, source: string): Deadline => ({
  ms,
  told: `${inSeconds(ms)} (${source})`,
  mostMs: ms,
});

/** Deadlines one after the other, as one. */
export const together = (...deadlines: readonly Deadline[]): Deadline => ({
  get ms() {
    return deadlines.reduce((sum, { ms }) => sum + ms, 0);
  },
  get told() {
    return inSeconds(this.ms);
  },
  mostMs: deadlines.reduce((sum, { mostMs }) => sum + mostMs, 0),
});
