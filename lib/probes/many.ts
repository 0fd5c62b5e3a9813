import type { Place } from './places.ts';

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
  /** Deadline of each in seconds; 30 unless told. */
  withinSeconds?: number;
}

/** Many GETs of one URL at the same time by one curl; none is retried. */
export async function getMany(
  from: Place,
  url: string,
  count: number,
  { atOnce = count, withinSeconds = 30 }: ManyOptions = {},
): Promise<Many> {
  const parallel = ['--parallel', '--parallel-immediate', '--parallel-max', String(atOnce)];
  const { stdout, stderr, ms } = await from.attempt(
    [
      ...['curl', '-sS', '-m', String(withinSeconds), ...parallel, '-w', `\n${mark}%{http_code}\n`],
      ...Array.from({ length: count }, () => url),
    ],
    { within: (withinSeconds + 20) * 1000 },
  );
  const said = stdout.split('\n').filter((line) => line !== '');
  const ended = said.filter((line) => line.startsWith(mark)).map((line) => line.slice(mark.length));
  if (ended.length !== count)
    throw new Error(
      `${String(count)} requests from ${from.name} came to ${String(ended.length)} ends: ${stderr.trim()}`,
    );
  const statuses: Record<string, number> = {};
  for (const status of ended) statuses[status] = (statuses[status] ?? 0) + 1;
  return { statuses, lines: said.filter((line) => !line.startsWith(mark)), ms };
}
