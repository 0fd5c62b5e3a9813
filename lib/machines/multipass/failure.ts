import type { Output } from '#lib/base/command.ts';

/** What multipass means by what it says. */
export type Failure =
  | 'absent'
  | 'exists'
  | 'timed out'
  | 'not running'
  | 'unreachable'
  | 'no service'
  | 'not authenticated'
  | 'other';

const meanings: readonly [Failure, RegExp][] = [
  ['not authenticated', /not authenticated with the Multipass service/i],
  ['no service', /cannot connect to the multipass socket|socket.*(refused|closed)|multipassd.*not running/i],
  ['timed out', /timed out (waiting for|while)|deadline exceeded/i],
  [
    'unreachable',
    /ssh (connection failed|failed)|no route to host|failed to determine IP|connection (refused|reset|timed out)/i,
  ],
  ['not running', /instance "[^"]*" is (not running|stopped|suspended|deleted|starting)/i],
  ['exists', /instance "[^"]*" already exists/i],
  ['absent', /instance "[^"]*" does not exist/i],
];

/** Errors come as plain text on standard error, also when JSON was asked for, so the text is all there is to go by. */
export function failureOf({ stderr, stdout }: Pick<Output, 'stderr' | 'stdout'>): Failure {
  const text = stderr.trim() || stdout;
  return meanings.find(([, pattern]) => pattern.test(text))?.[0] ?? 'other';
}

/** multipass said no. */
export class MultipassError extends Error {
  override name = 'MultipassError';
  readonly failure: Failure;

  constructor(
    command: string,
    output: Pick<Output, 'stderr' | 'stdout' | 'code'>,
    failure = failureOf(output),
  ) {
    const said = (output.stderr.trim() || output.stdout.trim()).slice(-1000);
    super(`multipass ${command}: ${said || `exit status ${String(output.code)}, without a word`}`);
    this.failure = failure;
  }
}

/** Whether an error is multipass's and means this. */
export const means = (error: unknown, ...failures: readonly Failure[]): boolean =>
  error instanceof MultipassError && failures.includes(error.failure);
