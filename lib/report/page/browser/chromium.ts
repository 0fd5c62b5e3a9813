import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { RefusedError } from '#lib/base/errors.ts';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];

/**
 * A Chromium of this machine: the one that CHROMIUM names, or the first on PATH.
 *
 * @returns its path, or undefined when there is none
 * @throws RefusedError when CHROMIUM names nothing that can be run
 */
export function chromiumHere(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const { CHROMIUM: asked, PATH: path = '' } = env;
  if (asked) {
    if (runs(asked)) return asked;
    throw new RefusedError(
      `CHROMIUM=${asked} is no program that can be run; leave it out to take one from PATH.`,
    );
  }
  return path
    .split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find(runs);
}

function runs(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
