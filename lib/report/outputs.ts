import { cp, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '#lib/base/errors.ts';
import { writeAtomic } from '#lib/base/files.ts';
import type { Catalogue } from '#lib/claims/catalogue.ts';
import { generateAllureReport, writeAllureResults } from './allure.ts';
import { audit } from './audit.ts';
import type { Conformance } from './conformance.ts';
import { junit } from './junit.ts';
import { summary } from './summary.ts';

/** Where a run leaves what it has to say. */
export interface Outputs {
  json: string;
  summaryMd: string;
  junitXml: string;
  /** What allure-vitest writes during the run; gone at its end. */
  allureRaw: string;
  allureResults: string;
  allureReport: string;
  history: string;
}

export function outputsIn(folder: string): Outputs {
  return {
    json: join(folder, 'conformance.json'),
    summaryMd: join(folder, 'summary.md'),
    junitXml: join(folder, 'junit.xml'),
    allureRaw: join(folder, '.allure-raw'),
    allureResults: join(folder, 'allure-results'),
    allureReport: join(folder, 'allure-report'),
    history: join(folder, 'history'),
  };
}

/** Removes what the run before left, so that nobody takes it for the answer of this one. The history stays. */
async function clear({ history, allureRaw, ...rest }: Outputs): Promise<void> {
  for (const path of Object.values(rest)) await rm(path, { recursive: true, force: true });
}

/**
 * Writes every output and reads it back.
 *
 * @param how.html whether the Allure report is made from its results
 * @param how.last whether this is what the run has to say in the end, which goes into the history
 * @returns what is wrong with the outputs, a sentence each
 */
export async function write(
  report: Conformance,
  outputs: Outputs,
  { claims, sources }: Catalogue,
  { html, last }: { html: boolean; last: boolean },
): Promise<string[]> {
  const { json, summaryMd, junitXml, allureRaw, allureResults, allureReport, history } = outputs;
  await clear(outputs);
  await writeAtomic(json, `${JSON.stringify(report, undefined, 2)}\n`);
  if (last) {
    await mkdir(history, { recursive: true });
    await cp(json, join(history, `conformance-${report.startedAt.replaceAll(':', '-')}.json`));
  }
  await writeAtomic(summaryMd, summary(report));
  await writeAtomic(junitXml, junit(report));
  await writeAllureResults(report, sources, allureRaw, allureResults);
  if (last) await rm(allureRaw, { recursive: true, force: true });
  const problems = audit(outputs, claims.length);
  if (html) {
    await generateAllureReport(allureResults, allureReport, join(history, 'allure.jsonl')).catch(
      (error: unknown) => {
        problems.push(`There is no Allure report: ${messageOf(error)}`);
      },
    );
  }
  return problems;
}
