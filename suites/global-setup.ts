import type { TestProject } from 'vitest/node';

/**
 * Runs once, before any suite and only when the reporter found that something was asked for that exists.
 * A RefusedError thrown here is shown as its one sentence and ends the run with status 2.
 *
 * @returns what is done after the last suite
 */
export default async function setup(_project: TestProject): Promise<() => Promise<void>> {
  // Here: preflight, opening the lab, arming the reaper.
  return async () => {
    // Here: closing the lab, or keeping it. Whoever fails here sets process.exitCode: vitest only prints it.
  };
}
