import { appendFile } from 'node:fs/promises';
import { CommandError, timedOut, type Output, type RunOptions } from '#lib/base/command.ts';
import { msOf, type Within } from '#lib/base/deadline.ts';
import { ours } from '#lib/base/deadlines.ts';
import { messageOf } from '#lib/base/errors.ts';
import { until, NotSeenError } from '#lib/base/until.ts';
import { rootEnvironment } from '#lib/machines/root-environment.ts';
import { NotRunning, RefusedByAgent, type AgentPort } from './agent-port.ts';

interface Status {
  exited: boolean;
  exitcode?: number;
  signal?: number;
  'out-data'?: string;
  'err-data'?: string;
  'out-truncated'?: boolean;
  'err-truncated'?: boolean;
  /** Why nobody knows of the command any more. */
  lost?: string;
}

/**
 * Runs a command as root in the guest and returns what it said, whatever its exit status. Many may run at once: only
 * questions and answers take turns. Lines are handed to `onLine` when the command has ended, all together.
 * A program that a command leaves in the background must not hold on to its output, or the command does not end.
 *
 * @param name the machine, for messages
 * @throws CommandError when the program is missing, runs out of time, is ended by a signal, or says more than 16 MiB
 */
export async function guestAttempt(
  agent: AgentPort,
  name: string,
  words: readonly string[],
  options: RunOptions = {},
): Promise<Output> {
  const started = performance.now();
  const within = options.within ?? ours.command;
  const shown = [`${name}:`, ...(options.secret ? [words[0] ?? '', '(arguments withheld)'] : words)];
  const output = (status?: Status): Output => ({
    stdout: decode(status?.['out-data'], options.binary),
    stderr: decode(status?.['err-data'], options.binary),
    code: status?.exitcode ?? -1,
    ms: Math.round(performance.now() - started),
  });
  const fail = (why: string, status?: Status, cause?: unknown): CommandError => {
    const said = output(status);
    return new CommandError(
      shown,
      why,
      { ...said, stderr: said.stderr || (cause ? messageOf(cause) : '') },
      cause,
    );
  };

  if (options.signal?.aborted) throw fail('Called off', undefined, options.signal.reason);
  const pid = await start(agent, words, options, within).catch((error: unknown) => {
    throw fail(
      error instanceof RefusedByAgent ? 'Could not be started' : 'Could not be asked for',
      undefined,
      error,
    );
  });
  let status: Status;
  try {
    const left = msOf(within) - (performance.now() - started);
    status = await ended(agent, pid, Math.max(1, left), options.signal);
  } catch (error) {
    await endTree(agent, pid);
    if (options.signal?.aborted) throw fail('Called off', undefined, options.signal.reason);
    if (error instanceof NotSeenError) throw fail(timedOut(within));
    throw fail('Its end was not seen', undefined, error);
  }

  const result = output(status);
  for (const line of (result.stdout + result.stderr).split('\n').slice(0, -1)) options.onLine?.(line);
  if (options.log !== undefined) await appendFile(options.log, result.stdout + result.stderr);
  if (status['out-truncated'] || status['err-truncated']) {
    throw fail('Said more than 16 MiB, which is what the guest agent carries; let it write a file', {
      ...status,
      'out-data': '',
    });
  }
  if (status.lost !== undefined) throw fail(`Its end was not seen, as ${status.lost} meanwhile`);
  if (status.signal !== undefined) throw fail(`Ended by signal ${String(status.signal)}`, status);
  return result;
}

/**
 * Reads a file without starting a program, which an emulated processor takes a tenth of a second for: for what is
 * looked at again and again.
 *
 * @param from the first byte that is read
 * @throws CommandError with what the agent said
 */
export async function guestRead(agent: AgentPort, name: string, path: string, from = 0): Promise<string> {
  const started = performance.now();
  try {
    const handle = await agent.ask<number>('guest-file-open', { path, mode: 'r' });
    try {
      const parts: Buffer[] = [];
      await agent.ask('guest-file-seek', { handle, offset: from, whence: 'set' });
      for (let eof = false; !eof;) {
        const part = await agent.ask<{ 'buf-b64': string; eof: boolean }>('guest-file-read', {
          handle,
          count: 1024 * 1024,
        });
        parts.push(Buffer.from(part['buf-b64'], 'base64'));
        eof = part.eof;
      }
      return Buffer.concat(parts).toString('utf8');
    } finally {
      await agent.ask('guest-file-close', { handle });
    }
  } catch (error) {
    const ms = Math.round(performance.now() - started);
    const output = { stdout: '', stderr: messageOf(error), code: -1, ms };
    throw new CommandError([`${name}:`, 'read', path], 'Could not be read', output, error);
  }
}

async function start(
  agent: AgentPort,
  words: readonly string[],
  { input, cwd, env = {} }: RunOptions,
  within: Within,
): Promise<number> {
  const [path, ...arg] = cwd === undefined ? words : ['env', '-C', cwd, ...words];
  const wanted: Record<string, string | undefined> = { ...rootEnvironment, ...env };
  const set = Object.entries(wanted).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${value}`],
  );
  const { pid } = await agent.ask<{ pid: number }>(
    'guest-exec',
    {
      path,
      arg,
      env: set,
      'capture-output': true,
      ...(input === undefined ? {} : { 'input-data': Buffer.from(input).toString('base64') }),
    },
    within,
  );
  return pid;
}

/** Asks often at first, for commands that end at once, then less and less: each question costs the guest time. */
async function ended(agent: AgentPort, pid: number, within: Within, signal?: AbortSignal): Promise<Status> {
  const started = performance.now();
  // starting a program takes an emulated processor at least so long
  let due = 10;
  return until<Status>(
    'the command has ended',
    async () => {
      const elapsed = performance.now() - started;
      if (elapsed < due || signal?.aborted) return { exited: false };
      due = elapsed + Math.min(100, Math.max(5, elapsed / 4));
      return agent.ask<Status>('guest-exec-status', { pid }, ours.agentTells).catch((error: unknown) => {
        if (error instanceof RefusedByAgent) return { exited: true, lost: 'the agent was started anew' };
        if (error instanceof NotRunning) return { exited: true, lost: 'the machine was switched off' };
        throw error;
      });
    },
    ({ exited }) => {
      signal?.throwIfAborted();
      return exited;
    },
    { within, every: 5 },
  );
}

/** Ends a command and what it started, as far as it can be reached. */
async function endTree(agent: AgentPort, pid: number): Promise<void> {
  const script =
    'tree() { for child in $(pgrep -P $1); do tree $child; done; echo $1; }; kill -KILL $(tree $1)';
  const words = ['sh', '-c', script, '-', String(pid)];
  await start(agent, words, {}, ours.agentAnswers)
    .then(async (killer) => ended(agent, killer, ours.agentAnswers))
    .catch(() => undefined);
}

const decode = (data = '', binary = false): string =>
  Buffer.from(data, 'base64').toString(binary ? 'latin1' : 'utf8');
