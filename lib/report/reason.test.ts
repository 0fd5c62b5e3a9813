import { expect, test } from 'vitest';
import { NotSeenError } from '#lib/base/until.ts';
import { reasonBeside } from './reason.ts';

const timedOut = (saw: unknown): { reason: string; seen: string } => {
  const { message, seen } = new NotSeenError('TLS alone', 20_000, 30, { saw });
  return { reason: message, seen };
};

test('what a wait saw last is not said twice when it is long', () => {
  expect(reasonBeside(timedOut('tls\nraw_buffer'))).toBe(
    'Timed out after 20 s waiting for: TLS alone. Looked 30 times.',
  );
});

test.each([
  ['what it saw is short', timedOut('raw_buffer')],
  ['it is no wait', { reason: 'expected 503 to be 200', seen: '503\n' }],
  ['nothing is known of what was seen', { reason: 'the VM is off' }],
])('a reason stays as it is when %s', (_when, claim) => {
  expect(reasonBeside(claim)).toBe(claim.reason);
});
