import { randomBytes } from 'node:crypto';
import { timedOut, type RunOptions } from '#lib/base/command.ts';
import { msOf } from '#lib/base/deadline.ts';
import { ours } from '#lib/base/deadlines.ts';
import { messageOf } from '#lib/base/errors.ts';
import type { Place, PlaceWithFiles } from '#lib/probes/places.ts';

/**
 * Runs one shell script that tells several things, which is quicker than a program for each: what follows
 * `section <name>` is that section.
 *
 * @returns name and text of each section, in order; also when the script did not come to its end well
 * @throws CommandError when it could not be run at all, or not in time
 */
export async function sections(
  place: Place,
  script: readonly string[],
  options: RunOptions = {},
): Promise<[string, string][]> {
  const mark = newMark();
  const { stdout } = await place.attempt(['bash', '-c', marked(script, mark)], options);
  return split(stdout, mark);
}

/**
 * The same where a command hands over nothing of what it said unless it ends in time: it writes to a file, and what is
 * there when most of the time is over is read.
 *
 * @param file where it writes to; it stays, and the next script of that name writes over it
 */
export async function sectionsInFile(
  place: PlaceWithFiles,
  file: string,
  script: readonly string[],
  { within = ours.bundle, ...options }: RunOptions = {},
): Promise<{ parts: [string, string][]; missing: string[] }> {
  const mark = newMark();
  const shell = [`umask 077; exec >${file}`, marked(script, mark)].join('\n');
  const missing: string[] = [];
  const late = Math.round(msOf(within) * 0.7);
  const running = place.attempt(['bash', '-c', shell], { ...options, within: late });
  running.catch(() => undefined);
  try {
    // ending what is late may take the machine longer than there is time
    await Promise.race([running, over(late)]);
  } catch (error) {
    missing.push(`only what it told in time is here: ${messageOf(error).split('\n', 1)[0] ?? ''}`);
  }
  return { parts: split(await place.read(file), mark), missing };
}

async function over(ms: number): Promise<never> {
  const signal = AbortSignal.timeout(ms);
  return new Promise((_, reject) => {
    signal.addEventListener('abort', () => {
      reject(new Error(timedOut(ms)));
    });
  });
}

const newMark = (): string => `--${randomBytes(8).toString('hex')}--`;

const marked = (script: readonly string[], mark: string): string =>
  [`section() { printf '\\n${mark}%s\\n' "$1"; }`, ...script].join('\n');

/** Reads what the script printed; what came before the first section is dropped. */
export function split(text: string, mark: string): [string, string][] {
  return text
    .split(`\n${mark}`)
    .slice(1)
    .map((part) => {
      const end = part.indexOf('\n');
      return [part.slice(0, end), part.slice(end + 1)];
    });
}
