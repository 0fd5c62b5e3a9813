import type { Place } from './places.ts';

/** An HTTP answer, whoever gave it. Header names are in lower case. */
export interface Answered {
  outcome: 'answered';
  status: number;
  headers: Record<string, string>;
  body: string;
  /** The address that curl says it was connected to. */
  remote: string;
  ms: number;
}

/** Why there was no HTTP answer; a time-out is never taken for a denial. */
export type Refusal =
  | 'connection refused'
  | 'connection reset'
  | 'could not resolve host'
  | 'no route to host'
  | 'empty reply'
  | 'timeout'
  | 'other';

export interface Refused {
  outcome: 'refused';
  why: Refusal;
  /** What curl said. */
  said: string;
  ms: number;
}

export interface GetOptions {
  headers?: Record<string, string>;
  /** Deadline in seconds; 10 unless told. */
  withinSeconds?: number;
  /** More words for curl. */
  flags?: readonly string[];
}

const refusals: readonly [RegExp, Refusal][] = [
  [/\(28\)|timed out/i, 'timeout'],
  [/\(6\)|could not resolve/i, 'could not resolve host'],
  [/connection refused/i, 'connection refused'],
  [/no route to host|unreachable/i, 'no route to host'],
  [/\(56\)|connection reset/i, 'connection reset'],
  [/\(52\)|empty reply/i, 'empty reply'],
];

const mark = '\n--curl--';

/**
 * One GET by curl from a place, never retried.
 *
 * @throws CommandError when curl itself could not be run there
 */
export async function get(from: Place, url: string, options: GetOptions = {}): Promise<Answered | Refused> {
  const { headers = {}, withinSeconds = 10, flags = [] } = options;
  const { stdout, stderr, code, ms } = await from.attempt(
    [
      // some versions of curl tell why a connection failed only when they are verbose
      ...['curl', '-sSv', '-i', '--no-keepalive', '-m', String(withinSeconds)],
      ...['-w', `${mark}%{http_code} %{remote_ip} %{time_total}`],
      ...Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]),
      ...flags,
      url,
    ],
    { within: (withinSeconds + 20) * 1000 },
  );
  const [page = '', facts = ''] = stdout.split(mark);
  const [status = '0', remote = '', taken = '0'] = facts.split(' ');
  const took = taken === '0' ? ms : Math.round(Number(taken) * 1000);
  if (code !== 0 && Number(status) === 0) {
    if (!/curl: \(\d+\)/.test(stderr))
      throw new Error(`curl could not be run from ${from.name}: ${stderr.trim() || stdout.trim()}`);
    const said = stderr
      .split('\n')
      .filter((line) => /^curl: \(|^\* .*\bfailed\b/.test(line))
      .join('\n');
    const why = refusals.find(([pattern]) => pattern.test(said))?.[1] ?? 'other';
    return { outcome: 'refused', why, said, ms: took };
  }
  const end = page.indexOf('\r\n\r\n');
  return {
    outcome: 'answered',
    status: Number(status),
    headers: parseHeaders(page.slice(0, end)),
    body: page.slice(end + 4),
    remote,
    ms: took,
  };
}

function parseHeaders(head: string): Record<string, string> {
  const lines = head.split('\r\n').slice(1);
  return Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
}

/** The short form of an outcome, for `expect(outcomeOf(answer)).toBe('200')` and for messages. */
export function outcomeOf(answer: Answered | Refused): string {
  return answer.outcome === 'answered' ? String(answer.status) : `refused: ${answer.why}`;
}

/** What an answer that was not hoped for says of itself, for the message of an expectation; nothing for a good one. */
export function saidIn(answer: Answered | Refused): string {
  if (answer.outcome === 'refused') return answer.said;
  return answer.status < 400 ? '' : answer.body.trim().slice(0, 300);
}
