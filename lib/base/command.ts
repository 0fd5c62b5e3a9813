import { spawn } from 'node:child_process';
import { appendFile, open } from 'node:fs/promises';
import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import { execa, type Options } from 'execa';
import { msOf, toldOf, type Within } from './deadline.ts';
import { ours } from './deadlines.ts';
import { descendantsOf, endProcess } from './processes.ts';
import { recording } from './recorder.ts';
import { redact } from './redact.ts';

export interface RunOptions {
  /** Given to standard input; without it standard input is empty. */
  input?: string | Uint8Array;
  /** Of the table in deadlines.ts (milliseconds in tests); `ours.command` unless told. */
  within?: Within;
  cwd?: string;
  env?: Record<string, string | undefined>;
  signal?: AbortSignal;
  /** Called with each line of both streams as it comes. */
  onLine?: (line: string) => void;
  /** A file that the output is appended to. */
  log?: string;
  /** The output's bytes as they are, one character for each (latin1), whatever they mean; text is UTF-8 otherwise. */
  binary?: boolean;
  /** What messages and the command record show in place of the words, such as `k3s-worker-1: true`. */
  shown?: readonly string[];
  /** At the deadline, or called off, all that it has started ends with it: for what starts its work a process further on. */
  wholeTree?: boolean;
  /** Words and output are kept out of the command record and of messages. */
  secret?: boolean;
}

export interface Output {
  stdout: string;
  stderr: string;
  code: number;
  /** How long it took, in milliseconds. */
  ms: number;
}

export type Run = (words: readonly string[], options?: RunOptions) => Promise<Output>;

/** A program that could not be started, ran out of time, or ended with a status other than 0. */
export class CommandError extends Error {
  override name = 'CommandError';
  readonly words: readonly string[];
  readonly output: Output;

  constructor(words: readonly string[], why: string, output: Output, cause?: unknown) {
    const said = redact((output.stderr.trim() || output.stdout.trim()).slice(-2000));
    super(`${why}: ${redact(words.join(' ')).slice(0, 400)}${said ? `\n${said}` : ''}`, { cause });
    this.words = words;
    this.output = output;
  }
}

/** What the message of a command begins with that did not end before its deadline. */
export const timedOut = (within: Within): string => `Timed out after ${toldOf(within)}`;

/**
 * Runs a program and returns what it said, whatever its exit status.
 *
 * @throws CommandError when it is missing or runs out of time.
 */
export async function attempt(words: readonly string[], options: RunOptions = {}): Promise<Output> {
  return recordingCommand(options.shown ?? words, options, async () => perform(words, options));
}

/** Records a command and its exit status, without its arguments when they are secret. */
export async function recordingCommand(
  words: readonly string[],
  { secret }: RunOptions,
  work: () => Promise<Output>,
): Promise<Output> {
  const what = secret ? `${words[0] ?? ''} (arguments withheld)` : words.join(' ');
  return recording(what, work, ({ code }) => `exit status ${String(code)}`);
}

async function perform(words: readonly string[], options: RunOptions): Promise<Output> {
  const [program = '', ...args] = words;
  const within = options.within ?? ours.command;
  const withinMs = msOf(within);
  const started = performance.now();
  const settings: Options = {
    reject: false,
    stripFinalNewline: false,
    timeout: withinMs,
    maxBuffer: 64 * 1024 * 1024,
    forceKillAfterDelay: 2000,
    ...(options.binary ? { encoding: 'latin1' as const } : {}),
    ...(options.input === undefined ? { stdin: 'ignore' } : { input: options.input }),
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.env === undefined ? {} : { env: options.env }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
  };

  // before execa ends the program, as its children are not known to be its own after that
  const endTree = (): void => {
    if (child.pid === undefined) return;
    for (const { pid } of descendantsOf(child.pid)) endProcess(pid);
  };
  const deadline = { passed: false };
  const atDeadline = (): void => {
    deadline.passed = true;
    endTree();
  };
  const timer = options.wholeTree ? setTimeout(atDeadline, withinMs) : undefined;
  if (options.wholeTree) options.signal?.addEventListener('abort', endTree);
  const child = execa(program, args, settings);
  if (options.onLine) void forward(child, options.onLine);
  const result = await child.finally(() => {
    clearTimeout(timer);
    options.signal?.removeEventListener('abort', endTree);
  });
  const output: Output = {
    stdout: String(result.stdout ?? ''),
    stderr: String(result.stderr ?? ''),
    code: result.exitCode ?? -1,
    ms: Math.round(performance.now() - started),
  };
  if (options.log !== undefined) await appendFile(options.log, output.stdout + output.stderr);
  const shown = wordsShown(words, options);
  if (result.timedOut || deadline.passed) throw new CommandError(shown, timedOut(within), output);
  if (result.isCanceled || (options.signal?.aborted && result.exitCode === undefined))
    throw new CommandError(shown, 'Called off', output, result.cause);
  if (result.exitCode === undefined) {
    const why = result.signal ? `Ended by ${result.signal}` : 'Could not be started';
    throw new CommandError(
      shown,
      why,
      { ...output, stderr: output.stderr || (result.message ?? '') },
      result.cause,
    );
  }
  return output;
}

function wordsShown(words: readonly string[], { shown = words, secret }: RunOptions): readonly string[] {
  return secret ? [shown[0] ?? '', '(arguments withheld)'] : shown;
}

/** Runs a program. @throws CommandError also when its exit status is not 0. */
export async function run(words: readonly string[], options: RunOptions = {}): Promise<Output> {
  const output = await attempt(words, options);
  if (output.code !== 0) {
    throw new CommandError(wordsShown(words, options), `Exit status ${String(output.code)}`, output);
  }
  return output;
}

/** A program between streams: its input comes from one as it comes, its output goes on at once. Returns its exit status. */
export async function piped(
  words: readonly string[],
  streams: {
    input: Readable;
    out: (bytes: Uint8Array) => void;
    err: (bytes: Uint8Array) => void;
    cwd?: string;
    env?: NodeJS.ProcessEnv;
  },
): Promise<number> {
  const { input, out, err, cwd, env = process.env } = streams;
  const [program = '', ...args] = words;
  const child = spawn(program, args, { env, ...(cwd === undefined ? {} : { cwd }) });
  input.pipe(child.stdin);
  // it need not read its input
  child.stdin.on('error', () => input.resume());
  child.stdout.on('data', out);
  child.stderr.on('data', err);
  return new Promise((resolve) => {
    child.once('error', (error) => {
      err(Buffer.from(`${error.message}\n`));
      resolve(127);
    });
    child.once('close', (code, signal) => {
      resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
    });
  });
}

/** Hands the terminal to a program, with more in its environment, and returns its exit status. */
export async function interactive(
  words: readonly string[],
  env: Record<string, string> = {},
): Promise<number> {
  const [program = '', ...args] = words;
  const { exitCode } = await execa(program, args, { stdio: 'inherit', reject: false, env });
  return exitCode ?? 1;
}

/** Starts a program in a session of its own that survives us; its output is appended to `log`. Returns its pid. */
export async function spawnDetached(
  words: readonly string[],
  { log, env, cwd }: { log: string; env?: NodeJS.ProcessEnv; cwd?: string },
): Promise<number> {
  const [program = '', ...args] = words;
  const file = await open(log, 'a', 0o600);
  try {
    const child = spawn(program, args, {
      detached: true,
      stdio: ['ignore', file.fd, file.fd],
      env: env ?? process.env,
      ...(cwd === undefined ? {} : { cwd }),
    });
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error) => {
        reject(
          new CommandError(
            words,
            'Could not be started',
            { stdout: '', stderr: error.message, code: -1, ms: 0 },
            error,
          ),
        );
      });
    });
    child.unref();
    return child.pid ?? -1;
  } finally {
    await file.close();
  }
}

async function forward(
  lines: { iterable: (options: { from: 'stdout' | 'stderr' }) => AsyncIterable<unknown> },
  onLine: (line: string) => void,
): Promise<void> {
  const each = async (from: 'stdout' | 'stderr'): Promise<void> => {
    for await (const line of lines.iterable({ from })) onLine(String(line));
  };
  await Promise.all([each('stdout'), each('stderr')]).catch(() => undefined);
}
