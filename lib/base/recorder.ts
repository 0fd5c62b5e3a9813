import { messageOf } from './errors.ts';
import { redact } from './redact.ts';

/** Something that this process did to the lab. */
export interface Recorded {
  /** When it began, in milliseconds since 1970. */
  at: number;
  what: string;
  /** How it ended and how long it took. */
  end: string;
}

/** Enough for the longest claim; a process that waits for an hour must not grow with it. */
const kept = 5000;
const shown = 400;
const done: Recorded[] = [];

/** Does something and keeps, without secrets, what was done when and how it ended. Says nothing. */
export async function recording<T>(
  what: string,
  work: () => Promise<T>,
  endOf: (result: T) => string = () => 'done',
): Promise<T> {
  const at = Date.now();
  const started = performance.now();
  const keep = (end: string): void => {
    const ms = Math.round(performance.now() - started);
    // a secret that is cut is not recognised any more
    const entry = { at, what: cut(redact(what)), end: `${cut(redact(end))} (${String(ms)} ms)` };
    done.push(entry);
    if (done.length > kept) done.shift();
  };
  try {
    const result = await work();
    keep(endOf(result));
    return result;
  } catch (error) {
    keep(messageOf(error).split('\n', 1)[0] ?? '');
    throw error;
  }
}

/** What ended since a moment, in the order in which it ended. */
export const recorded = (since: number): Recorded[] => done.filter(({ at }) => at >= since);

const cut = (text: string): string => (text.length > shown ? `${text.slice(0, shown)}…` : text);
