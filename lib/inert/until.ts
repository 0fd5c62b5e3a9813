import type { NotSeenError, until } from '#lib/base/until.ts';

/** Waits as `until` does for something that never changes: as many looks as could be asked for, and no time between. */
export const untilLooked =
  (NotSeen: typeof NotSeenError): typeof until =>
  async (what, look, good, { within, inARow = 1 }) => {
    const { signal } = new AbortController();
    let last: { saw: Awaited<ReturnType<typeof look>> } | { failed: unknown } | undefined;
    for (let looks = 1, row = 0; looks <= inARow; looks += 1) {
      try {
        last = { saw: await look(signal) };
      } catch (failed) {
        last = { failed };
        row = 0;
        continue;
      }
      row = good(last.saw) ? row + 1 : 0;
      if (row >= inARow) return last.saw;
    }
    throw new NotSeen(what, within, inARow, last);
  };
