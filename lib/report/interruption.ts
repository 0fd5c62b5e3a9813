import { ours } from '#lib/base/deadlines.ts';

const signals = ['SIGINT', 'SIGTERM'] as const;

/**
 * Does something when a signal tells this process to end, before those who listened until now end it. Neither a second
 * signal nor something that takes longer than ten seconds is waited for.
 */
export function onInterruption(work: (signal: string) => Promise<void>): void {
  for (const signal of signals) {
    const others = process.rawListeners(signal) as NodeJS.SignalsListener[];
    process.removeAllListeners(signal);
    process.once(signal, () => {
      for (const other of others) process.on(signal, other);
      const tooLate = new Promise((resolve) => {
        AbortSignal.timeout(ours.lastWords.ms).addEventListener('abort', resolve);
      });
      const worked = work(signal).catch((error: unknown) => {
        console.error(error);
      });
      void Promise.race([worked, tooLate]).then(() => process.kill(process.pid, signal));
    });
  }
}
