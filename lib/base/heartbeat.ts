import { setTimeout as sleep } from 'node:timers/promises';

/** Calls `beat` every `every` milliseconds until the returned function is called; keeps no process alive. */
export function heartbeat(every: number, beat: () => void): () => void {
  const timer = setInterval(beat, every);
  timer.unref();
  return () => {
    clearInterval(timer);
  };
}

/** Looks every `every` milliseconds, for as long as that is what is seen; keeps the process alive meanwhile. */
export async function whileSeen(every: number, look: () => boolean): Promise<void> {
  while (look()) await sleep(every);
}
