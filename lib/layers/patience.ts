import { firstPatience, type Patience } from '#lib/base/patience.ts';
import { say } from '#lib/base/progress.ts';

/** Learns how much slower than the reference this machine is, before anything that may take long, and says so. */
export async function learnPatience(): Promise<Patience> {
  const found = await firstPatience();
  const { factor, why } = found;
  say(`Patience ${String(factor)}, by which deadlines of ours are stretched: ${why}.`);
  return found;
}
