import type { Output } from '#lib/base/command.ts';

/** What multipass means by what it says. */
export type Failure =
  | 'absent'
  | 'exists'
  /** A launch is at work on its image and disk: all other commands say that there is no such instance. */
  | 'being prepared'
  | 'timed out'
  | 'not running'
  | 'unreachable'
  | 'no service'
  | 'not authenticated'
  /** This user may not open the socket of the service. */
  | 'no access'
  | 'other';

/** As read in the sources of 1.13.0, 1.14.0, 1.15.0, 1.16.0, 1.16.3 and main of August 2026. */
const meanings: readonly [Failure, RegExp][] = [
  // "The client" up to 1.16, "The user" since
  ['not authenticated', /(client|user) is not authenticated with the Multipass service/i],
  ['no access', /multipass socket access denied/i],
  ['no service', /cannot connect to the multipass socket|socket.*(refused|closed)|multipassd.*not running/i],
  ['being prepared', /instance ("[^"]*" )?is being prepared/i],
  ['timed out', /timed out (waiting for|while)|deadline exceeded/i],
  [
    'unreachable',
    /ssh (connection failed|failed)|no route to host|failed to determine IP|connection (refused|reset|timed out)/i,
  ],
  ['not running', /instance (["'])[^"']*\1 is (not running|stopped|suspended|deleted|starting)/i],
  // 1.15 and 1.16 say so when any instance that does not run is to be restarted
  ['not running', /is already running, but in an unknown state/i],
  ['exists', /instance "[^"]*" already exists/i],
  ['absent', /instance "[^"]*" does not exist|reason: No such instance/i],
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
