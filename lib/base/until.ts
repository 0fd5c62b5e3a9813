import { AsyncLocalStorage } from 'node:async_hooks';
import { setMaxListeners } from 'node:events';
import { inspect } from 'node:util';
import pWaitFor from 'p-wait-for';
import { msOf, toldOf, type Within } from './deadline.ts';
import { LackingError, messageOf } from './errors.ts';

export { minutes, seconds } from './deadline.ts';

export interface Waiting {
  /** Of the table in deadlines.ts, or milliseconds in tests. */
  within: Within;
  /** Milliseconds between two looks; 100 unless told. */
  every?: number;
  /** How many good looks in a row are asked for; 1 unless told. */
  inARow?: number;
}

/** A wait that has ended, well or not. */
export interface Wait {
  what: string;
  /** When it began, as an ISO time. */
  startedAt: string;
  ms: number;
}

const noted = new AsyncLocalStorage<Wait[] | undefined>();

/** Does the work and notes how long it waited for what; waits within the looks of a wait are part of that one. */
export async function notingWaits<T>(into: Wait[], work: () => Promise<T>): Promise<T> {
  return noted.run(into, work);
}

const calledOff = new AsyncLocalStorage<AbortSignal | undefined>();

/** Does the work; when the signal is aborted its waits end at once, with the signal's reason. */
export async function callingOff<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  // each wait listens while it lasts
  setMaxListeners(0, signal);
  return calledOff.run(signal, work);
}

type Last<T> = { saw: T } | { failed: unknown } | undefined;

/** What was waited for was not seen before the deadline. */
export class NotSeenError extends Error {
  override name = 'NotSeenError';
  readonly seen: string;

  constructor(what: string, within: Within, looks: number, last: Last<unknown>) {
    const seen = describe(last);
    super(
      `Timed out after ${toldOf(within)} waiting for: ${what}. Looked ${String(looks)} times; last look: ${seen}`,
      {
        cause: last && 'failed' in last ? last.failed : undefined,
      },
    );
    this.seen = seen;
  }
}

function describe(last: Last<unknown>): string {
  if (!last) return 'never ended';
  if ('failed' in last) return messageOf(last.failed);
  return typeof last.saw === 'string' ? last.saw : inspect(last.saw, { depth: 4, breakLength: 120 });
}

/**
 * Looks until what is seen is good, and returns it.
 * A look that throws counts as "not yet", unless the lab lacks what it looks with; a condition (`good`) that throws
 * ends the wait at once.
 * p-wait-for alone never interrupts a running look and lets a late answer pass, hence the race.
 *
 * @throws NotSeenError at the deadline, with the last thing seen; or why the work was called off that this is a part of
 */
export async function until<T>(
  what: string,
  look: (signal: AbortSignal) => Promise<T>,
  good: (seen: T) => boolean,
  { within, every = 100, inARow = 1 }: Waiting,
): Promise<T> {
  const deadline = new AbortController();
  const startedAt = new Date().toISOString();
  const started = performance.now();
  let last: Last<T>;
  let looks = 0;
  let run = 0;
  let timer: NodeJS.Timeout | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      deadline.abort();
      reject(new NotSeenError(what, within, looks, last));
    }, msOf(within));
  });
  const watch = pWaitFor<T>(
    async () => {
      deadline.signal.throwIfAborted();
      looks += 1;
      let saw: T;
      try {
        saw = await noted.run(undefined, async () => look(deadline.signal));
      } catch (failed) {
        if (failed instanceof LackingError) throw failed;
        last = { failed };
        run = 0;
        return false;
      }
      last = { saw };
      run = good(saw) ? run + 1 : 0;
      return run >= inARow ? pWaitFor.resolveWith(saw) : false;
    },
    { interval: every },
  );
  watch.catch(() => undefined);
  const off = calledOff.getStore();
  let stop: () => void = () => undefined;
  const inVain = new Promise<never>((_, reject) => {
    stop = () => {
      deadline.abort();
      reject(off?.reason as Error);
    };
  });
  off?.addEventListener('abort', stop);
  try {
    if (off?.aborted) stop();
    return await Promise.race([watch, tooLate, inVain]);
  } finally {
    clearTimeout(timer);
    off?.removeEventListener('abort', stop);
    noted.getStore()?.push({ what, startedAt, ms: Math.round(performance.now() - started) });
  }
}
