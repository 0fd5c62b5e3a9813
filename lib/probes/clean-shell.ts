import { run } from '#lib/base/command.ts';
import { fixture } from '#lib/base/paths.ts';

/** What bash itself adds to an empty environment. */
const ofTheShell = new Set(['PWD', 'SHLVL', '_']);

/** The environment of a shell that had nothing in it (but `before`) and sourced fixtures/run.env, all of it exported. */
export async function sourcedSettings(
  before: Readonly<Record<string, string>> = {},
): Promise<Record<string, string>> {
  const given = Object.entries(before).map(([name, value]) => `${name}=${value}`);
  const shell = ['bash', '-c', 'set -ea; . "$1"; env', '-', fixture('run.env')];
  const { stdout } = await run(['env', '-i', ...given, ...shell]);
  const lines = stdout.trimEnd().split('\n');
  return Object.fromEntries(
    lines.flatMap((line) => {
      const equals = line.indexOf('=');
      const name = line.slice(0, equals);
      return ofTheShell.has(name) ? [] : [[name, line.slice(equals + 1)]];
    }),
  );
}

/** What a script says in a shell that had nothing but a PATH and sourced a file. */
export async function saidAfterSourcing(file: string, script: string, path: string): Promise<string> {
  const shell = ['bash', '-c', 'set -e; . "$1"; eval "$2"', '-', file, script];
  return (await run(['env', '-i', `PATH=${path}`, ...shell])).stdout;
}
