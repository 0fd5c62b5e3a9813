import AllureVitestReporter from 'allure-vitest/reporter';
import type { TestAnnotation } from 'vitest';
import { rmSync } from 'node:fs';
import { isAbsolute, join, relative } from 'node:path';
import type {
  Reporter,
  SerializedError,
  TestCase,
  TestModule,
  TestRunEndReason,
  TestSpecification,
  Vitest,
} from 'vitest/node';
import { messageOf } from '#lib/base/errors.ts';
import { reportsDir } from '#lib/base/paths.ts';
import { redact } from '#lib/base/redact.ts';
import { seconds } from '#lib/base/until.ts';
import { catalogue, type Catalogue } from '#lib/claims/catalogue.ts';
import { stillRunning } from '#lib/claims/declare.ts';
import { falsifying } from '#lib/claims/falsify.ts';
import { implemented, type Proof } from '#lib/claims/implemented.ts';
import { filesFor, select, type Pattern, type Selection } from '#lib/claims/selection.ts';
import { conformance, type Conformance } from './conformance.ts';
import { closing, ended, running } from './console.ts';
import { exitStatus, type Ending } from './exit-status.ts';
import { labFacts } from './lab-facts.ts';
import { onInterruption } from './interruption.ts';
import { outputsIn, write, type Outputs } from './outputs.ts';
import { judgementOf, results, type Looked } from './results.ts';
import { lookedOf, saidOf } from './vitest-entities.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The layers that the chosen claims stand on. */
    layers: string[];
  }
}

interface Options {
  /** The folder of the outputs; reports/ unless told, or reports/falsifying when the verdicts are on falsifiers. */
  output?: string;
  /** The folder of the catalogue; fixtures/claims unless told. */
  claims?: string;
  /** Whether the Allure report is made; true unless told. */
  html?: boolean;
  /** How often it is shown that a claim is still being looked at, in milliseconds; 10 s unless told. */
  beat?: number;
}

/**
 * Owns the verdict of a run: what was asked for, one result for every claim of the catalogue whatever the tests do,
 * the outputs and the exit status. What allure-vitest records during the run is kept, its verdicts are not.
 */
export default class ConformanceReporter implements Reporter {
  readonly #outputs: Outputs;
  readonly #options: Options;
  readonly #allure: AllureVitestReporter;
  readonly #startedAt = new Date();
  readonly #outside: string[] = [];
  #vitest!: Vitest;
  #catalogue!: Catalogue;
  #proofs: Proof[] = [];
  #pattern: Pattern | undefined;
  #selection: Selection | undefined;
  #begun = false;
  #heading = '';
  #unfinished = false;
  #finishing: Promise<void> | undefined;
  #ending: Ending = 'none';

  constructor(options: Options = {}) {
    this.#options = options;
    const folder = falsifying() ? join(reportsDir(), 'falsifying') : reportsDir();
    this.#outputs = outputsIn(options.output ?? folder);
    this.#allure = new AllureVitestReporter({ resultsDir: this.#outputs.allureRaw });
  }

  onInit(vitest: Vitest): void {
    this.#vitest = vitest;
    process.once('exit', (code) => {
      process.exitCode = exitStatus(this.#ending, code);
      // vitest removes them only when nothing cuts it short
      for (const { tmpDir } of [vitest.getRootProject(), ...vitest.projects])
        rmSync(tmpDir, { recursive: true, force: true });
    });
    this.#listenForFailedSetup(vitest);
    onInterruption(async (signal) => this.#interrupted(signal));
    try {
      this.#catalogue = catalogue(this.#options.claims);
      this.#proofs = implemented(join(vitest.config.root, 'suites'));
      this.#pattern = this.#narrow(vitest);
    } catch (error) {
      this.#refuse(messageOf(error));
    }
    rmSync(this.#outputs.allureRaw, { recursive: true, force: true });
    this.#allure.onInit(vitest);
  }

  onTestRunStart(specifications: readonly TestSpecification[]): void {
    const { config } = this.#vitest;
    const files = specifications.map(({ moduleId }) => this.#file(moduleId));
    const words = (this.#vitest as { filenamePattern?: string[] }).filenamePattern ?? [];
    const filters = words.map((word) => (isAbsolute(word) ? relative(config.root, word) : word));
    try {
      this.#selection = select({ filters, pattern: this.#pattern, files }, this.#catalogue, this.#proofs);
    } catch (error) {
      this.#refuse(messageOf(error));
    }
    const chosen = this.#proofs.filter(
      ({ id, file }) => files.includes(file) && this.#selection?.ids.has(id),
    );
    this.#vitest.provide('layers', [...new Set(chosen.flatMap(({ standsOn = [] }) => standsOn))]);
    this.#vitest.provide('beat', this.#options.beat ?? seconds(10));
  }

  /** Until the end, the outputs say that there was none: whatever kills the run leaves nobody with a report of before. */
  async onTestModuleQueued(): Promise<void> {
    if (this.#begun) return;
    this.#begun = true;
    const report = this.#report([], ['The run did not come to its end.']);
    await write(report, this.#outputs, this.#catalogue, { html: false, last: false });
  }

  onTestCaseAnnotate(test: TestCase, { type, message }: TestAnnotation): void {
    if (type !== stillRunning) return;
    this.#sayOf(test, running(test.name, Number(message), test.meta().claim?.within ?? 0));
  }

  onTestCaseResult(test: TestCase): void {
    const looked = lookedOf(test, this.#file(test.module.moduleId));
    const judgement = judgementOf(looked);
    if (judgement)
      this.#sayOf(
        test,
        ended(looked.id, looked.durationMs, judgement, looked.outcome?.disturbedBy !== undefined),
      );
  }

  onUserConsoleLog({ content, type }: { content: string; type: 'stdout' | 'stderr' }): void {
    process[type].write(redact(content));
  }

  async onTestRunEnd(
    modules: readonly TestModule[],
    errors: readonly SerializedError[],
    reason: TestRunEndReason,
  ): Promise<void> {
    if (this.#finishing) return;
    if (reason === 'interrupted') this.#outside.push('The run was interrupted.');
    this.#outside.push(...errors.map(saidOf));
    this.#allure.onTestRunEnd([...modules] as never);
    // a set-up that throws ends the run before any file was queued, and is told only after this
    this.#unfinished = !this.#begun && errors.length === 0;
    if (!this.#unfinished) await this.#finish(modules);
  }

  /** With `-t` only the files that it needs are read, and an id means that claim, not all that begin like it. */
  #narrow(vitest: Vitest): Pattern | undefined {
    const given = vitest.getGlobalTestNamePattern();
    if (!given) return undefined;
    const written = given.source;
    const exact = this.#catalogue.has(written);
    if (exact) vitest.setGlobalTestNamePattern(new RegExp(`^${written.replaceAll('.', String.raw`\.`)}$`));
    const pattern = {
      written,
      test: exact ? (id: string) => id === written : (id: string) => given.test(id),
    };
    const needed = filesFor(pattern, this.#catalogue, this.#proofs).map((file) =>
      join(vitest.config.root, 'suites', file),
    );
    for (const project of vitest.projects) {
      project.config.include = needed
        .filter((file) => project.matchesTestGlob(file))
        .map((file) => relative(project.config.root, file));
    }
    return pattern;
  }

  /** What globalSetup and its teardown throw is printed by vitest and told to no reporter, hence this detour. */
  #listenForFailedSetup(vitest: Vitest): void {
    const { logger } = vitest;
    const printError = logger.printError.bind(logger);
    const printLine = logger.error.bind(logger);
    logger.printError = (error, options) => {
      if (error instanceof Error && error.name === 'RefusedError') {
        this.#unfinished = false;
        this.#ending = 'refused';
        process.stderr.write(`${error.message}\n`);
        return;
      }
      this.#outside.push(messageOf(error));
      printError(error, options);
    };
    logger.error = (...words: unknown[]) => {
      if (this.#ending === 'refused') return;
      if (words[0] === 'error during close') this.#ending = 'red';
      printLine(...words);
    };
    vitest.onClose(async () => {
      if (this.#unfinished) await this.#finish([]);
      rmSync(this.#outputs.allureRaw, { recursive: true, force: true });
    });
  }

  /** A signal: what was not looked at is broken, and says so. Whoever ends the process comes after this. */
  async #interrupted(signal: string): Promise<void> {
    if (!this.#selection) return;
    if (!this.#finishing) this.#outside.push(`The run was interrupted (${signal}).`);
    await this.#finish(this.#vitest.state.getTestModules(), false);
    // the signal decides on the status
    process.exitCode = undefined;
  }

  async #finish(modules: readonly TestModule[], html = this.#options.html ?? true): Promise<void> {
    this.#finishing ??= (async () => {
      this.#unfinished = false;
      const report = this.#report(modules, this.#outside);
      const problems = await write(report, this.#outputs, this.#catalogue, { html, last: true });
      this.#say(closing(report, problems));
      const { failed, broken, blocked } = report.totals;
      const red = failed + broken + blocked + report.errors.length + problems.length > 0;
      this.#ending = red ? 'red' : 'green';
      // the teardown of globalSetup may ask whether all went well
      process.exitCode = exitStatus(this.#ending, Number(process.exitCode ?? 0));
    })();
    return this.#finishing;
  }

  #report(modules: readonly TestModule[], outside: readonly string[]): Conformance {
    const looked: Looked[] = [];
    const fileErrors = new Map<string, string>();
    for (const module of modules) {
      const file = this.#file(module.moduleId);
      for (const test of module.children.allTests()) looked.push(lookedOf(test, file));
      const said = module.errors().map(({ message }) => message);
      if (said.length > 0) fileErrors.set(file, said.join(' '));
    }
    const selection = this.#selection;
    if (!selection) throw new Error('The run ended before it was known what was asked for.');
    return conformance({
      startedAt: this.#startedAt,
      finishedAt: new Date(),
      selection,
      results: results(this.#catalogue, selection, this.#proofs, looked, { fileErrors, outside }),
      outside: [...outside, ...[...fileErrors].map(([file, said]) => `suites/${file}: ${said}`)],
      facts: labFacts(),
    });
  }

  /** Says why the run does not start, and ends the process. Nothing was touched. */
  #refuse(why: string): never {
    this.#ending = 'refused';
    rmSync(this.#outputs.allureRaw, { recursive: true, force: true });
    process.stderr.write(`${why}\n`);
    process.exit();
  }

  #file(moduleId: string): string {
    return relative(join(this.#vitest.config.root, 'suites'), moduleId);
  }

  #sayOf(test: TestCase, text: string): void {
    const heading = [test.project.name, test.meta().claim?.standsOn].filter(Boolean).join(' · ');
    if (heading !== this.#heading) this.#say(`\n${heading}`);
    this.#heading = heading;
    this.#say(text);
  }

  #say(text: string): void {
    process.stdout.write(`${text}\n`);
  }
}
