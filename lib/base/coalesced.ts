/**
 * Wraps a piece of work so that it can be asked for at any time: it starts at once when nothing runs,
 * and once more after the running one when it was asked for meanwhile. Never two at a time.
 *
 * @param failed told what the work threw; the next request tries again
 */
export function coalesced(work: () => Promise<void>, failed: (error: unknown) => void): () => void {
  let running = false;
  let wanted = false;

  const go = async (): Promise<void> => {
    running = true;
    while (wanted) {
      // events that came in one piece belong together
      await new Promise((resolve) => setImmediate(resolve));
      wanted = false;
      await work().catch(failed);
    }
    running = false;
  };

  return () => {
    wanted = true;
    if (!running) void go();
  };
}
