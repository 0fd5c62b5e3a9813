import { heartbeat } from './heartbeat.ts';
import { seconds } from './until.ts';

export interface StepPlan {
  /** This is step i of n. */
  i?: number | undefined;
  n?: number | undefined;
  /** How long it usually takes, in milliseconds. */
  expectedMs?: number | undefined;
  /** Says nothing unless it takes longer than ten seconds. */
  quiet?: boolean;
}

/** One line for whoever watches the run, on standard error. */
export function say(text: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);
}

/** Does one step of long work and shows it: what, i of n, elapsed, expected; never silent for more than 10 s. */
export async function step<T>(
  title: string,
  plan: StepPlan,
  work: (note: (text: string) => void) => Promise<T>,
): Promise<T> {
  const place = plan.i !== undefined && plan.n !== undefined ? `[${String(plan.i)}/${String(plan.n)}] ` : '';
  const expected = plan.expectedMs === undefined ? '' : ` of about ${duration(plan.expectedMs)}`;
  const started = performance.now();
  const elapsed = (): string => duration(performance.now() - started);
  let noted = '';
  if (!plan.quiet)
    say(`${place}${title}${plan.expectedMs === undefined ? '' : ` (about ${duration(plan.expectedMs)})`}`);
  const stop = heartbeat(seconds(9), () => {
    say(`${place}${title} … ${elapsed()}${expected}${noted && `: ${noted}`}`);
  });
  try {
    const result = await work((text) => {
      noted = text;
    });
    if (!plan.quiet) say(`${place}${title}: done in ${elapsed()}`);
    return result;
  } catch (error) {
    say(`${place}${title}: failed after ${elapsed()}`);
    throw error;
  } finally {
    stop();
  }
}

/** 950 -> "0.9 s", 61 000 -> "1 min 1 s", 119 600 -> "2 min 0 s". */
export function duration(ms: number): string {
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const whole = Math.round(ms / 1000);
  return `${String(Math.floor(whole / 60))} min ${String(whole % 60)} s`;
}
