import type { Within } from '#lib/base/deadline.ts';
import { until } from '#lib/base/until.ts';
import type { Place, PlaceWithFiles } from './places.ts';

/** Where istio-start.sh sends what the agent says, and what Envoy says. */
export const agentLog = '/var/log/istio/istio.log';
const envoyLog = '/var/log/istio/istio.err.log';

/** How long both logs were at some moment, in bytes. */
export interface LogMark {
  agent: number;
  envoy: number;
}

/** The end of both logs as they are now; what is written later is after it. */
export async function endOfLogs(vm: Place): Promise<LogMark> {
  const said = await shell(vm, `stat -c %s ${agentLog} ${envoyLog}`);
  const [agent = 0, envoy = 0] = said.trim().split('\n').map(Number);
  return { agent, envoy };
}

/** The lines of both logs after a mark, those of the agent first. */
export async function logsSince(vm: PlaceWithFiles, { agent, envoy }: LogMark): Promise<string[]> {
  return lines((await vm.read(agentLog, agent)) + (await vm.read(envoyLog, envoy)));
}

/**
 * Waits until a line with these words is logged after a mark.
 *
 * @returns all lines after the mark
 * @throws NotSeenError with the last lines
 */
export async function untilLogged(
  vm: PlaceWithFiles,
  mark: LogMark,
  words: string | RegExp,
  within: Within,
): Promise<string[]> {
  let all: string[] = [];
  await until(
    `the sidecar of ${vm.name} logs ${String(words)}`,
    async () => {
      all = await logsSince(vm, mark);
      return all.find((line) => says(line, words)) ?? all.slice(-3);
    },
    (seen) => typeof seen === 'string',
    { within, every: 200 },
  );
  return all;
}

/** The lines of the agent's log since it was last started, from the line that tells its version. */
export async function logSinceStart(vm: Place): Promise<string[]> {
  const started = `grep -n '\tinfo\tVersion ' ${agentLog} | tail -n 1 | cut -d : -f 1`;
  const said = lines(await shell(vm, `tail -n +$(${started}) ${agentLog}`));
  if (said.length === 0) throw new Error(`The agent on ${vm.name} has not told its version in ${agentLog}.`);
  return said;
}

/** That the agent has its stream to istiod; of the incremental kind, which is the default, it says so. */
export const connected = /connected to (delta )?upstream XDS server: \S+/;

/** Whether a line holds words. */
export const says = (line: string, words: string | RegExp): boolean =>
  typeof words === 'string' ? line.includes(words) : words.test(line);

/** When a line of the agent's log was written, in milliseconds. @throws Error when it does not begin with a time */
export function timeOf(line: string): number {
  const at = Date.parse(line.split('\t', 1)[0] ?? '');
  if (Number.isNaN(at)) throw new Error(`Not a line of the agent's log: ${line.slice(0, 200)}`);
  return at;
}

/** The time to live that a line tells as ttl=23h59m58.9s, in seconds; undefined when it tells none. */
export function ttlOf(line: string): number | undefined {
  const found = /\bttl=(?:(\d+)h)?(?:(\d+)m)?([\d.]+)s\b/.exec(line);
  if (!found) return undefined;
  const [, hours = 0, minutes = 0, seconds = 0] = found.map(Number);
  return (hours || 0) * 3600 + (minutes || 0) * 60 + seconds;
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line !== '');

async function shell(vm: Place, command: string): Promise<string> {
  const { stdout, stderr, code } = await vm.attempt(['bash', '-o', 'pipefail', '-c', command]);
  if (code !== 0) throw new Error(`The logs of the agent on ${vm.name} cannot be read: ${stderr.trim()}`);
  return stdout;
}
