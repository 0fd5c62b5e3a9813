import { randomBytes } from 'node:crypto';
import { CommandError, timedOut, type Output, type RunOptions } from '#lib/base/command.ts';
import { msOf } from '#lib/base/deadline.ts';
import { ours } from '#lib/base/deadlines.ts';
import { endingByWord } from './ending-by-word.ts';
import type { FileOptions, Machine } from './machine.ts';
import { rootEnvironment } from './root-environment.ts';

/** A way into a machine: runs a command there as root and hands back what came of it, its exit status included. */
export type WayIn = (words: readonly string[], options: RunOptions) => Promise<Output>;

/** The part of a machine that needs nothing but a shell in it. */
export type ShellMachine = Pick<Machine, 'name' | 'run' | 'attempt' | 'write' | 'read'> & {
  /** The machine's own IPv4 addresses on what is no bridge or card of a container, as it tells them itself. */
  addresses(): Promise<string[]>;
};

/**
 * A machine that is reached by a program of this host, such as ssh or `multipass exec`. What such a program says of
 * itself is not taken for what the command said: the exit status comes in a last line of the command's standard error,
 * and where that line is missing the command's end was not seen. A command that runs out of time or is called off is
 * ended in the machine as well, with all that it started: they are known by a word in their environment.
 */
export function shellMachine(name: string, wayIn: WayIn): ShellMachine {
  const shownAt = (words: readonly string[], { shown = words }: RunOptions): string[] => [
    `${name}:`,
    ...shown,
  ];
  const attempt: Machine['attempt'] = async (words, options = {}) => {
    const { cwd, env = {}, onLine, ...others } = options;
    const call = `call-${randomBytes(8).toString('hex')}`;
    const shown = shownAt(words, options);
    const inside = ['sh', '-c', wrapper, '-', call, 'env', ...environment(call, env), ...words];
    if (cwd !== undefined) inside.splice(inside.indexOf('env') + 1, 0, '-C', cwd);
    const told = (output: Output): Output & { ended: boolean } => endOf(output, call);
    // ended from inside: a connection that is kept holds on to our pipes until the command is over
    let ending: Promise<unknown> | undefined;
    const end = (): void => {
      const words = ['sh', '-c', endingByWord, '-', `${variable}=${call}`];
      ending ??= wayIn(words, { within: ours.machineAnswers }).catch(() => undefined);
    };
    const within = options.within ?? ours.command;
    const deadline = AbortSignal.timeout(msOf(within));
    const off = options.signal ? AbortSignal.any([options.signal, deadline]) : deadline;
    off.addEventListener('abort', end);
    let said: Output;
    try {
      said = await wayIn(inside, {
        ...others,
        shown,
        ...(onLine ? { onLine: withoutEnd(onLine, call) } : {}),
      });
    } catch (error) {
      end();
      if (error instanceof CommandError) error.output.stderr = told(error.output).stderr;
      throw error;
    } finally {
      off.removeEventListener('abort', end);
      await ending;
    }
    const { ended, ...output } = told(said);
    // ended from inside it may answer before the way in has noticed
    if (off.aborted) {
      const why = options.signal?.aborted ? 'Called off' : timedOut(within);
      throw new CommandError(withheld(shown, options), why, output);
    }
    if (!ended) {
      const why = `Its end was not seen, and the way to ${name} ended with status ${String(said.code)}`;
      throw new CommandError(withheld(shown, options), why, output);
    }
    return output;
  };
  const run: Machine['run'] = async (words, options = {}) => {
    const output = await attempt(words, options);
    if (output.code === 0) return output;
    throw new CommandError(
      withheld(shownAt(words, options), options),
      `Exit status ${String(output.code)}`,
      output,
    );
  };

  return {
    name,
    run,
    attempt,
    read: async (path, from = 0) => (await run(['tail', '-c', `+${String(from + 1)}`, path])).stdout,
    write: async (path, content, options = {}) => {
      const size = String(Buffer.byteLength(content));
      await run(['sh', '-c', writing, '-', path, size, ...ownership(options)], {
        input: content,
        shown: ['write', path],
      });
    },
    addresses: async () => {
      const { stdout } = await run(['ip', '-4', '-o', 'address', 'show', 'scope', 'global']);
      return [...stdout.matchAll(/^\d+: (\S+)\s+inet ([\d.]+)\//gm)].flatMap(([, card = '', address = '']) =>
        /^(cni|flannel|docker|br-|veth|kube|virbr|cali|tunl|nodelocaldns)/.test(card) ? [] : [address],
      );
    },
  };
}

/** Moves a file that has been brought into the machine to where it belongs, if all of it has arrived. */
export async function putInPlace(
  { run }: Pick<Machine, 'run'>,
  draft: string,
  path: string,
  size: number,
  options: FileOptions,
): Promise<void> {
  await run(['sh', '-c', placing, '-', draft, path, String(size), ...ownership(options)], {
    within: ours.fileArrives,
    shown: ['write', path],
  });
}

const variable = 'CONFORMANCE_CALL';

/** The command's own exit status as the last line of its standard error, whatever the way back makes of it. */
const wrapper = String.raw`call=$1; shift; "$@"; code=$?; printf '\n%s %d\n' "$call" $code >&2; exit $code`;

// a secret is never readable by others, and nobody sees half a file: not even when the connection breaks
const checked = [
  '[ "$(stat -c %s "$draft")" = "$size" ] || { echo "only $(stat -c %s "$draft") of $size bytes of $path arrived" >&2; exit 1; }',
  '[ -z "$owner" ] || chown "$owner" "$draft"',
  'chmod "$mode" "$draft"',
  'mv -fT "$draft" "$path"',
];
const writing = [
  'set -e; umask 022; path=$1 size=$2 mode=$3 owner=$4; mkdir -p "$(dirname "$path")"; draft=$path.$$.tmp',
  'trap \'rm -f "$draft"\' EXIT',
  'umask 077; cat >"$draft"',
  ...checked,
].join('\n');
const placing = [
  'set -e; umask 022; from=$1 path=$2 size=$3 mode=$4 owner=$5; mkdir -p "$(dirname "$path")"; draft=$path.$$.tmp',
  'trap \'rm -f "$draft" "$from"\' EXIT',
  // moved, as there may be no room for it twice; who brought it owns it until now
  'chmod 600 "$from"; chown "${owner:=$(id -u):$(id -g)}" "$from"; mv -fT "$from" "$draft"',
  ...checked,
].join('\n');

const ownership = ({ mode = 0o644, owner = '' }: FileOptions): string[] => [mode.toString(8), owner];

function environment(call: string, env: Readonly<Record<string, string | undefined>>): string[] {
  const wanted: Record<string, string | undefined> = { ...rootEnvironment, ...env, [variable]: call };
  const entries = Object.entries(wanted);
  const unset = entries.flatMap(([key, value]) => (value === undefined ? ['-u', key] : []));
  return [...unset, ...entries.flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}`]))];
}

/** Takes the last line out of what a command said, and the exit status out of that. */
function endOf(output: Output, call: string): Output & { ended: boolean } {
  const found = new RegExp(String.raw`\n${call} (\d+)\n[\s\S]*$`).exec(output.stderr);
  if (!found) return { ...output, ended: false };
  return { ...output, stderr: output.stderr.slice(0, found.index), code: Number(found[1]), ended: true };
}

const withoutEnd =
  (onLine: (line: string) => void, call: string) =>
  (line: string): void => {
    if (!line.includes(call)) onLine(line);
  };

const withheld = (shown: readonly string[], { secret }: RunOptions): readonly string[] =>
  secret ? [...shown.slice(0, 2), '(arguments withheld)'] : shown;
