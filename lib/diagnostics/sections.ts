import { randomBytes } from 'node:crypto';
import type { RunOptions } from '#lib/base/command.ts';
import type { Place } from '#lib/probes/places.ts';

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
  const mark = `--${randomBytes(8).toString('hex')}--`;
  const shell = [`section() { printf '\\n${mark}%s\\n' "$1"; }`, ...script].join('\n');
  const { stdout } = await place.attempt(['bash', '-c', shell], options);
  return split(stdout, mark);
}

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
