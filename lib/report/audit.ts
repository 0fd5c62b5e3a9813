import { readdirSync, readFileSync } from 'node:fs';
import { readJson } from '#lib/base/files.ts';
import type { Conformance } from './conformance.ts';
import type { Outputs } from './outputs.ts';

/** Reads every output back and says, in a sentence each, where its verdicts do not add up to the catalogue. */
export function audit(
  { json, junitXml, allureResults, summaryMd }: Outputs,
  catalogueSize: number,
): string[] {
  const report = readJson<Conformance>(json);
  if (!report) return [`${json} is missing.`];
  const total = Object.values(report.totals).reduce((sum, count) => sum + count, 0);
  const askedFor = catalogueSize - (report.totals['not-selected'] ?? 0);
  const xml = readFileSync(junitXml, 'utf8');
  const counts: [string, number, number][] = [
    ['The totals of conformance.json', total, catalogueSize],
    ['The claims of conformance.json', new Set(report.claims.map(({ id }) => id)).size, catalogueSize],
    ['The test cases of junit.xml', xml.match(/<testcase /g)?.length ?? 0, askedFor],
    [
      'The results for Allure',
      readdirSync(allureResults).filter((file) => file.endsWith('-result.json')).length,
      askedFor,
    ],
    ['The first sum in summary.md', firstSum(readFileSync(summaryMd, 'utf8')), catalogueSize],
  ];
  return counts
    .filter(([, found, expected]) => found !== expected)
    .map(
      ([what, found, expected]) => `${what} come to ${String(found)}, the catalogue to ${String(expected)}.`,
    );
}

function firstSum(text: string): number {
  const [, all] = /(\d+) claims:/.exec(text) ?? [];
  const [, parts = ''] = /claims: (.*)/.exec(text) ?? [];
  const added = [...parts.matchAll(/(\d+) [a-z]/g)].reduce((sum, [, count]) => sum + Number(count), 0);
  return added === Number(all) ? added : -1;
}
