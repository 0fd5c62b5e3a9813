import { endWithNpm } from '#lib/base/parent.ts';
import { settings as readSettings } from '#lib/base/settings.ts';
import { goAhead } from '#lib/layers/layers.ts';
import { leaveLab, openLabFor } from '#lib/layers/open.ts';
import type { TestProject } from 'vitest/node';

/**
 * Runs once, before any suite and only when the reporter found that something was asked for that exists.
 * A RefusedError thrown here is shown as its one sentence and ends the run with status 2.
 *
 * @returns what is done after the last suite
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const settings = readSettings();
  endWithNpm();
  const { lab } = await openLabFor(settings);
  goAhead(lab, project.getProvidedContext().layers);
  return async () => {
    await leaveLab(settings, !process.exitCode);
  };
}
