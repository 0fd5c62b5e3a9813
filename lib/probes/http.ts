import type { Output } from '#lib/base/command.ts';
import { inWholeSeconds, together } from '#lib/base/deadline.ts';
import { ours } from '#lib/base/deadlines.ts';
import type { Place } from './places.ts';
import { wholeAnswer } from './whole.ts';

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

/** Whether curl came to its end before our eyes: it writes the mark last, and says why when there is no answer. */
const whole = ({ stdout, stderr, code }: Output): boolean =>
  code !== 0 || (stdout.includes(mark) && (!stdout.includes(`${mark}000`) || said.test(stderr)));

const said = /curl: \(\d+\)/;

/**
 * One GET by curl from a place, never retried, unless what curl saw was lost on the way to us.
 *
 * @throws CommandError when curl itself could not be run there
 */
export async function get(from: Place, url: string, options: GetOptions = {}): Promise<Answered | Refused> {
  const { headers = {}, flags = [] } = options;
  const words = [
    // some versions of curl tell why a connection failed only when they are verbose
    ...['curl', '-sSv', '-i', '--no-keepalive', '-m', inWholeSeconds(ours.httpAnswers)],
    ...['-w', `${mark}%{http_code} %{remote_ip} %{time_total}`],
    ...Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]),
    ...flags,
    url,
  ];
  const within = together(ours.httpAnswers, ours.reachingThere);
  const ask = async (): Promise<Output> => from.attempt(words, { within });
  const { stdout, stderr, ms } = await wholeAnswer(ask, whole);
  const [page = '', facts = ''] = stdout.split(mark);
  const [status = '0', remote = '', taken = '0'] = facts.split(' ');
  const took = taken === '0' ? ms : Math.round(Number(taken) * 1000);
  if (Number(status) === 0) {
    if (!said.test(stderr))
      throw new Error(`curl could not be run from ${from.name}: ${stderr.trim() || stdout.trim()}`);
    const lines = stderr
      .split('\n')
      .filter((line) => /^curl: \(|^\* .*\bfailed\b/.test(line))
      .join('\n');
    const why = refusals.find(([pattern]) => pattern.test(lines))?.[1] ?? 'other';
    return { outcome: 'refused', why, said: lines, ms: took };
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
