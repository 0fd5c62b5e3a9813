import { cp, mkdir, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { messageOf } from '#lib/base/errors.ts';
import { exists, readJson, writeAtomic } from '#lib/base/files.ts';
import { say } from '#lib/base/progress.ts';
import type { Catalogue } from '#lib/claims/catalogue.ts';
import { withFalsifiers } from './falsify-summary.ts';
import type { FalsifyReport } from './falsified.ts';
import { generateAllureReport, resultsOf, writeAllureResults } from './allure.ts';
import { audit } from './audit.ts';
import type { Conformance } from './conformance.ts';
import { junit } from './junit.ts';
import type { Matrix } from './matrix.ts';
import { labPaths } from './page/lab-paths.ts';
import { page, type PageData } from './page/page.ts';
import { historyFile } from './stored-runs.ts';
import { summary } from './summary.ts';

/** Where a run leaves what it has to say. */
export interface Outputs {
  json: string;
  summaryMd: string;
  junitXml: string;
  /** The page to look at. */
  indexHtml: string;
  /** What allure-vitest writes during the run; gone at its end. */
  allureRaw: string;
  allureResults: string;
  allureReport: string;
  history: string;
  /** What was collected when a claim failed, a folder for each. */
  diagnostics: string;
  /** What `npm run falsify` told last, with its own time and lab. */
  falsifyJson: string;
  /** Claims by versions, when several were compared. */
  matrixJson: string;
}

export function outputsIn(folder: string): Outputs {
  return {
    json: join(folder, 'conformance.json'),
    summaryMd: join(folder, 'summary.md'),
    junitXml: join(folder, 'junit.xml'),
    indexHtml: join(folder, 'index.html'),
    allureRaw: join(folder, '.allure-raw'),
    allureResults: join(folder, 'allure-results'),
    allureReport: join(folder, 'allure-report'),
    history: join(folder, 'history'),
    diagnostics: join(folder, 'diagnostics'),
    falsifyJson: join(folder, 'falsify.json'),
    matrixJson: join(folder, 'matrix', 'matrix.json'),
  };
}

/** The file in which Allure keeps what it knows of earlier runs. */
export const allureHistory = (history: string): string => join(history, 'allure.jsonl');

/** Removes what the run before left, so that nobody takes it for the answer of this one. The history stays. */
async function remove(paths: readonly string[]): Promise<void> {
  for (const path of paths) await rm(path, { recursive: true, force: true });
}

/** Removes the bundles that no claim of this run has, as a run that did not begin did not remove those before it. */
async function keepBundles(folder: string, { claims }: Conformance): Promise<void> {
  const kept = new Set(claims.flatMap(({ id, diagnostics }) => (diagnostics === undefined ? [] : [id])));
  for (const id of exists(folder) ? await readdir(folder) : [])
    if (!kept.has(id)) await rm(join(folder, id), { recursive: true, force: true });
}

/** Writes the page to look at, with the last comparison of versions unless that is none. */
async function writePage(
  report: Conformance,
  sources: Catalogue['sources'],
  { indexHtml, matrixJson }: Outputs,
): Promise<void> {
  const data: PageData = { report, sources, lab: labPaths(), folder: dirname(indexHtml) };
  try {
    const shown = readJson<Matrix>(matrixJson);
    const matrix = shown && { shown, folder: dirname(matrixJson) };
    await writeAtomic(indexHtml, page({ ...data, matrix }));
  } catch (error) {
    say(`${matrixJson} cannot be shown on the page: ${messageOf(error)}`);
    await writeAtomic(indexHtml, page(data));
  }
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
  const {
    json,
    summaryMd,
    junitXml,
    allureRaw,
    allureResults,
    allureReport,
    history,
    diagnostics,
    indexHtml,
  } = outputs;
  await remove([json, summaryMd, junitXml, indexHtml, allureResults, allureReport]);
  await keepBundles(diagnostics, report);
  await writeAtomic(json, `${JSON.stringify(report, undefined, 2)}\n`);
  if (last) {
    await mkdir(history, { recursive: true });
    await cp(json, join(history, historyFile(report)));
  }
  const falsified = readJson<FalsifyReport>(outputs.falsifyJson);
  await writeAtomic(summaryMd, falsified ? withFalsifiers(summary(report), falsified) : summary(report));
  await writeAtomic(junitXml, junit(report));
  await writePage(report, sources, outputs);
  await writeAllureResults(report, sources, allureRaw, allureResults);
  if (last) await rm(allureRaw, { recursive: true, force: true });
  const problems = audit(outputs, claims.length);
  if (html) {
    await generateAllureReport(
      [resultsOf(report, allureResults)],
      allureReport,
      allureHistory(history),
    ).catch((error: unknown) => {
      problems.push(`There is no Allure report: ${messageOf(error)}`);
    });
  }
  return problems;
}
