import { join } from 'node:path';
import { interactive } from '#lib/base/command.ts';
import { messageOf, RefusedError } from '#lib/base/errors.ts';
import { readJson } from '#lib/base/files.ts';
import { endWithNpm } from '#lib/base/parent.ts';
import { reportsDir, root } from '#lib/base/paths.ts';
import { say } from '#lib/base/progress.ts';
import { settings as readSettings } from '#lib/base/settings.ts';
import { catalogue } from '#lib/claims/catalogue.ts';
import { recordFalsifiers } from '#lib/claims/falsifier-map.ts';
import { implemented } from '#lib/claims/implemented.ts';
import { ensure } from '#lib/layers/layers.ts';
import { leaveLab, openLabFor } from '#lib/layers/open.ts';
import type { FalsifyReport } from '#lib/report/falsified.ts';
import { outputsIn } from '#lib/report/outputs.ts';
import { refuseUnlessOwn } from './own-lab.ts';

const usage = `npm run falsify [-- [--record] [--bundles] <claim id>…]
  breaks what each claim checks, and ends with 0 when each was red for its stated reason and green again after it
  --record    keeps what went red with each in fixtures/falsifiers.json
  --bundles   collects the diagnostics of each while it is red, as a run would; some seconds each`;

const flags = ['--record', '--bundles'] as const;

/**
 * Falsifies claims on the lab that the settings name, which it brings up or finds kept.
 *
 * @returns whether every one of them was killed and restored
 */
async function falsify(ids: readonly string[], asked: ReadonlySet<string>): Promise<boolean> {
  const proofs = new Set(implemented().map(({ id }) => id));
  const known = catalogue();
  for (const id of ids) {
    if (!known.has(id)) known.get(id);
    if (!proofs.has(id)) throw new RefusedError(`No suite proves ${id} yet, so there is nothing to falsify.`);
  }
  const settings = readSettings();
  refuseUnlessOwn(settings, 'Falsifiers break what claims check');
  const { lab } = await openLabFor(settings);
  endWithNpm();
  let good = false;
  try {
    // what does not come up is told by the claims that stand on it
    await ensure('policy', lab).catch((error: unknown) => {
      say(messageOf(error));
    });
    const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs');
    const only = ids.map((id) => id.replaceAll('.', String.raw`\.`)).join('|');
    const words = ['run', '--config', join(root, 'vitest.falsify.config.ts')];
    const pattern = only ? ['-t', `(?:^| )(?:${only})$`] : [];
    const env: Record<string, string> = asked.has('--bundles') ? { CONFORMANCE_BUNDLES: 'yes' } : {};
    const status = await interactive([process.execPath, vitest, ...words, ...pattern], env);
    const report = readJson<FalsifyReport>(outputsIn(reportsDir()).falsifyJson);
    if (!report) throw new Error('The run left no falsify.json, so nothing was told by it.');
    if (asked.has('--record')) say(await recordFalsifiers(report.claims));
    good = status === 0;
    return good;
  } finally {
    await leaveLab(settings, good);
  }
}

try {
  const words = process.argv.slice(2);
  const asked = new Set(words.filter((word) => word.startsWith('-')));
  if ([...asked].some((word) => !flags.some((flag) => flag === word))) throw new RefusedError(usage);
  const ids = words.filter((word) => !asked.has(word));
  process.exitCode = (await falsify(ids, asked)) ? 0 : 1;
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  const refused =
    error instanceof RefusedError || (error instanceof Error && error.name === 'CatalogueError');
  process.exitCode = refused ? 2 : 1;
}
