import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { istioSource } from '#lib/artifacts/source.ts';
import { messageOf, RefusedError } from '#lib/base/errors.ts';
import { endWithNpm } from '#lib/base/parent.ts';
import { reportsDir, root } from '#lib/base/paths.ts';
import { say } from '#lib/base/progress.ts';
import { settings } from '#lib/base/settings.ts';
import { catalogue } from '#lib/claims/catalogue.ts';
import { implemented } from '#lib/claims/implemented.ts';
import { onInterruption } from '#lib/report/interruption.ts';
import { outputsIn } from '#lib/report/outputs.ts';
import { plan, refuseUnknown } from './matrix/plan.ts';
import { runMatrix } from './matrix/runs.ts';

/*
 * npm run matrix -- <version>…
 *
 * Runs the suites for each version of Istio, and each system of the VM that is asked for, unattended. Exit status: the
 * worst of the runs; 2 when what was asked for makes no sense.
 */

const into = join(reportsDir(), 'matrix');
const vitest = [process.execPath, join(root, 'node_modules', 'vitest', 'vitest.mjs'), 'run'];

try {
  const room = { cores: availableParallelism(), memoryMiB: process.availableMemory() / 2 ** 20 };
  const planned = plan(process.argv.slice(2), process.env, room, into);
  for (const version of new Set(planned.runs.map((run) => run.settings.istioVersion)))
    await istioSource(settings({ ...process.env, ISTIO_VERSION: version }));
  const known = catalogue();
  refuseUnknown(planned, known, implemented());
  endWithNpm();
  const { runs, atOnce } = planned;
  const names = runs.map(({ version }) => version).join(', ');
  say(`${names}: ${atOnce > 1 ? `${String(atOnce)} at once` : 'one after the other'}; reports in ${into}`);
  const off = new AbortController();
  const running = runMatrix(planned, {
    command: vitest,
    into,
    history: outputsIn(reportsDir()).history,
    claims: known.claims,
    html: true,
    signal: off.signal,
  });
  onInterruption(async () => {
    off.abort();
    await running;
  });
  const { diffs, status } = await running;
  for (const { from, to, regression, changes } of diffs)
    say(
      `${from.name} to ${to.name}: ${regression ? 'a regression' : 'no regression'}, ${String(changes.length)} changes`,
    );
  say(`${outputsIn(into).indexHtml} has all of it`);
  process.exitCode = status;
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = error instanceof RefusedError ? 2 : 1;
}
