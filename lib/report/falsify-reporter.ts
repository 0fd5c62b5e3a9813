import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Reporter, SerializedError, TestCase, TestModule, TestRunEndReason, Vitest } from 'vitest/node';
import { heartbeat } from '#lib/base/heartbeat.ts';
import { writeAtomic } from '#lib/base/files.ts';
import { endWithNpm } from '#lib/base/parent.ts';
import { reportsDir, root } from '#lib/base/paths.ts';
import { duration } from '#lib/base/progress.ts';
import { redact } from '#lib/base/redact.ts';
import { seconds } from '#lib/base/until.ts';
import { catalogue, type Catalogue } from '#lib/claims/catalogue.ts';
import { falsifierMap } from '#lib/claims/falsifier-map.ts';
import { implemented } from '#lib/claims/implemented.ts';
import { allKilled, falsifiedClaim, falsifyReport, type Bundle } from './falsified.ts';
import { causesSum, falsifiersSum, falsifiersTable, withFalsifiers } from './falsify-summary.ts';
import { labFacts } from './lab-facts.ts';
import { outputsIn, type Outputs } from './outputs.ts';
import { lookedOf, saidOf } from './vitest-entities.ts';

interface Options {
  /** The folder of the outputs; reports/ unless told. */
  output?: string;
  /** The folder of the catalogue; fixtures/claims unless told. */
  claims?: string;
}

/** Says what came of falsifying claims: a line for each, falsify.json, a section in summary.md, the exit status. */
export default class FalsifyReporter implements Reporter {
  readonly #outputs: Outputs;
  readonly #catalogue: Catalogue;
  readonly #startedAt = new Date();
  readonly #beats = new Map<string, () => void>();
  #chosen: string[] = [];
  #all = 0;
  #place = 0;

  constructor({ output = reportsDir(), claims }: Options = {}) {
    this.#outputs = outputsIn(output);
    this.#catalogue = catalogue(claims);
  }

  onInit(vitest: Vitest): void {
    // what the run before left is not the answer of this one
    rmSync(this.#outputs.falsifyJson, { force: true });
    endWithNpm();
    const pattern = vitest.getGlobalTestNamePattern();
    const ids = [...new Set(implemented(join(vitest.config.root, 'suites')).map(({ id }) => id))];
    this.#all = ids.length;
    this.#chosen = ids.filter((id) => this.#catalogue.has(id) && (pattern?.test(id) ?? true));
  }

  onTestCaseReady(test: TestCase): void {
    if (!this.#chosen.includes(test.name)) return;
    this.#place += 1;
    const place = `[${String(this.#place)}/${String(this.#chosen.length)}]`;
    const started = performance.now();
    this.#say(`${place} ${test.name}`);
    this.#beats.set(
      test.id,
      heartbeat(seconds(10), () => {
        this.#say(`${place} ${test.name} … ${duration(performance.now() - started)}`);
      }),
    );
  }

  onTestCaseResult(test: TestCase): void {
    if (test.result().state === 'skipped' && !test.meta().claim?.judgement) return;
    this.#beats.get(test.id)?.();
    this.#beats.delete(test.id);
    const { ending, why, restored, notRestored, alsoRed } = falsifiedClaim(
      this.#catalogue.get(test.name),
      lookedOf(test, ''),
      'Its test never reported.',
    );
    const took = duration(test.diagnostic()?.duration ?? 0);
    const back = restored === null ? '' : restored ? ', restored' : `, NOT restored: ${notRestored ?? ''}`;
    const others = alsoRed.length > 0 ? `; also red: ${alsoRed.join(', ')}` : '';
    this.#say(`  ${ending}${back} (${took})${others}${why === undefined ? '' : `\n  ${why}`}`);
  }

  onUserConsoleLog({ content, type }: { content: string; type: 'stdout' | 'stderr' }): void {
    process[type].write(redact(content));
  }

  async onTestRunEnd(
    modules: readonly TestModule[],
    errors: readonly SerializedError[],
    reason: TestRunEndReason,
  ): Promise<void> {
    for (const stop of this.#beats.values()) stop();
    const report = falsifyReport(this.#catalogue, {
      startedAt: this.#startedAt,
      chosen: this.#chosen,
      selection: this.#chosen.length < this.#all ? this.#chosen : null,
      looked: modules.flatMap((module) =>
        [...module.children.allTests()].map((test) => lookedOf(test, module.moduleId)),
      ),
      outside: [
        ...(reason === 'interrupted' ? ['The run was interrupted.'] : []),
        ...errors.map(saidOf),
        ...modules.flatMap((module) => module.errors().map(({ message }) => message)),
      ],
      facts: labFacts(),
      map: falsifierMap(),
      bundleAt,
    });
    await writeAtomic(this.#outputs.falsifyJson, `${JSON.stringify(report, undefined, 2)}\n`);
    const { summaryMd } = this.#outputs;
    const before = existsSync(summaryMd) ? readFileSync(summaryMd, 'utf8') : '';
    await writeAtomic(summaryMd, withFalsifiers(before, report));
    this.#say(`\n${falsifiersTable(report)}\n`);
    for (const error of report.errors) this.#say(`Outside of any claim: ${error}`);
    this.#say(causesSum(report));
    this.#say(
      `${falsifiersSum(report)} (${duration(Date.parse(report.finishedAt) - Date.parse(report.startedAt))})`,
    );
    if (!allKilled(report)) process.exitCode = 1;
  }

  #say(text: string): void {
    process.stdout.write(`${text}\n`);
  }
}

function bundleAt(folder: string): Bundle {
  const at = resolve(root, folder);
  const files = readdirSync(at, { recursive: true, withFileTypes: true }).filter((one) => one.isFile());
  const timeline = join(at, 'timeline.txt');
  return {
    folder,
    bytes: files.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0),
    timeline: existsSync(timeline) ? readFileSync(timeline, 'utf8').split('\n').filter(Boolean).length : 0,
  };
}
