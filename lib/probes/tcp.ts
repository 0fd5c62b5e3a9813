import { inWholeSeconds, together } from '#lib/base/deadline.ts';
import { ours } from '#lib/base/deadlines.ts';
import type { Place } from './places.ts';
import { wholeAnswer } from './whole.ts';

/** What became of a TCP connection. */
export type Connecting = 'connected' | 'connection refused' | 'no route' | 'timeout';

const words: readonly [RegExp, Connecting][] = [
  [/^\* Connected to /m, 'connected'],
  [/failed: Connection refused/, 'connection refused'],
  [/failed: (No route to host|Network is unreachable)/, 'no route'],
  [/timed out|timeout/i, 'timeout'],
];

const seenIn = (said: string): Connecting | undefined => words.find(([pattern]) => pattern.test(said))?.[1];

/**
 * One TCP connection by curl from a place, whatever the other side has to say once it stands.
 *
 * @throws Error when curl says nothing of the connection
 */
export async function connecting(from: Place, address: string, port: number): Promise<Connecting> {
  // curl -S has the same words for a port that is closed and for a host that is not there; -v tells them apart
  const url = `http://${address}:${String(port)}/`;
  const { stderr } = await wholeAnswer(
    async () =>
      from.attempt(['curl', '-sv', '-m', inWholeSeconds(ours.tcpConnects), '-o', '/dev/null', url], {
        within: together(ours.tcpConnects, ours.reachingThere),
      }),
    (answer) => seenIn(answer.stderr) !== undefined,
  );
  const seen = seenIn(stderr);
  if (seen === undefined) {
    throw new Error(
      `curl from ${from.name} says nothing of a connection to ${address}:${String(port)}: ${stderr.trim()}`,
    );
  }
  return seen;
}
