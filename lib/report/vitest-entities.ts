import type { SerializedError, TestCase } from 'vitest/node';
import type { Looked } from './results.ts';

/** What a test case of vitest says about its claim. */
export function lookedOf(test: TestCase, file: string): Looked {
  const result = test.result();
  const diagnostic = test.diagnostic();
  return {
    id: test.name,
    file,
    state: result.state,
    durationMs: diagnostic?.duration ?? 0,
    startedAt: diagnostic?.startTime,
    outcome: test.meta().claim,
    retries: diagnostic?.retryCount ?? 0,
    errors: result.errors ?? [],
  };
}

/** An error outside of any test in a line: what happened, and what made it happen. */
export function saidOf(error: SerializedError): string {
  const cause = error.cause as { message?: string } | undefined;
  return [error.message, cause?.message].filter(Boolean).join(' ');
}
