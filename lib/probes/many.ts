import type { Output } from '#lib/base/command.ts';
import { inWholeSeconds, together } from '#lib/base/deadline.ts';
import { ours } from '#lib/base/deadlines.ts';
import type { Place } from './places.ts';
import { wholeAnswer } from './whole.ts';

/** What came of many requests at once. */
export interface Many {
  /** How often which HTTP status was answered; 000 is no answer. */
  statuses: Record<string, number>;
  /** The lines of all bodies. */
  lines: string[];
  ms: number;
}

const mark = '--status--';

interface ManyOptions {
  /** How many run at the same time; all of them unless told. */
  atOnce?: number;
}

/** Many GETs of one URL at the same time by one curl; none is retried, unless what curl saw was lost on the way to us. */
export async function getMany(
  from: Place,
  url: string,
  count: number,
  { atOnce = count }: ManyOptions = {},
): Promise<Many> {
  const parallel = ['--parallel', '--parallel-immediate', '--parallel-max', String(atOnce)];
  const words = [
    ...['curl', '-sS', '-m', inWholeSeconds(ours.manyAnswer), ...parallel, '-w', `\n${mark}%{http_code}\n`],
    ...Array.from({ length: count }, () => url),
  ];
  const within = together(ours.manyAnswer, ours.reachingThere);
  const { stdout, stderr, ms } = await wholeAnswer(
    async (): Promise<Output> => from.attempt(words, { within }),
    (answer) => endsIn(answer).length === count,
  );
  const ended = endsIn({ stdout });
  if (ended.length !== count)
    throw new Error(
      `${String(count)} requests from ${from.name} came to ${String(ended.length)} ends: ${stderr.trim()}`,
    );
  const statuses: Record<string, number> = {};
  for (const status of ended) statuses[status] = (statuses[status] ?? 0) + 1;
  return { statuses, lines: linesOf(stdout).filter((line) => !line.startsWith(mark)), ms };
}

const linesOf = (text: string): string[] => text.split('\n').filter((line) => line !== '');

/** The status of each request that came to its end. */
const endsIn = ({ stdout }: Pick<Output, 'stdout'>): string[] =>
  linesOf(stdout).flatMap((line) => (line.startsWith(mark) ? [line.slice(mark.length)] : []));
