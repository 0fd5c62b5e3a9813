import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readJson } from '#lib/base/files.ts';
import { verdicts } from '#lib/claims/outcome.ts';
import type { Conformance } from './conformance.ts';
import type { Outputs } from './outputs.ts';

type Counts = Readonly<Record<string, number>>;

/**
 * Reads every output back and says, in a sentence each, where its verdicts do not add up to the catalogue, or are not
 * those of conformance.json.
 */
export function audit(outputs: Outputs, catalogueSize: number): string[] {
  const report = readJson<Conformance>(outputs.json);
  if (!report) return [`${outputs.json} is missing.`];
  const { 'not-selected': notSelected = 0, ...totals } = report.totals;
  const askedFor = catalogueSize - notSelected;
  const told: readonly (readonly [what: string, counts: Counts, all: number])[] = [
    ['The totals of conformance.json', { ...totals, 'not-selected': notSelected }, catalogueSize],
    ['The claims of conformance.json', countOf(report.claims.map(({ verdict }) => verdict)), catalogueSize],
    ['The test cases of junit.xml', inJunit(readFileSync(outputs.junitXml, 'utf8')), askedFor],
    ['The results for Allure', inAllure(outputs.allureResults), askedFor],
    ['The totals of index.html', inPage(readFileSync(outputs.indexHtml, 'utf8'), totalOnPage), catalogueSize],
    ['The claims of index.html', inPage(readFileSync(outputs.indexHtml, 'utf8'), claimOnPage), catalogueSize],
    ['The first sum in summary.md', inSummary(readFileSync(outputs.summaryMd, 'utf8')), catalogueSize],
  ];
  const twice = report.claims.length - new Set(report.claims.map(({ id }) => id)).size;
  return [
    ...(twice > 0 ? [`${String(twice)} claims of conformance.json are there twice.`] : []),
    ...told.flatMap(([what, counts, all]) => {
      const sum = Object.values(counts).reduce((total, count) => total + count, 0);
      return sum === all ? [] : [`${what} come to ${String(sum)}, the catalogue to ${String(all)}.`];
    }),
    ...told.flatMap(([what, counts]) =>
      verdicts.flatMap((verdict) => {
        const [found, expected] = [counts[verdict] ?? 0, totals[verdict]];
        if (found === expected) return [];
        return [
          `${what} have ${String(found)} ${verdict}, the totals of conformance.json ${String(expected)}.`,
        ];
      }),
    ),
  ];
}

function countOf(list: readonly string[]): Counts {
  const counts: Record<string, number> = {};
  for (const one of list) counts[one] = (counts[one] ?? 0) + 1;
  return counts;
}

/** A test case without an element of its own has passed; the others say which verdict they are. */
const inJunit = (xml: string): Counts =>
  countOf(
    xml
      .split('<testcase ')
      .slice(1)
      .map((text) => /<(?:failure|error|skipped) type="([a-z-]+)"/.exec(text)?.[1] ?? 'passed'),
  );

function inAllure(folder: string): Counts {
  const files = readdirSync(folder).filter((file) => file.endsWith('-result.json'));
  return countOf(
    files.map((file) => {
      const { labels } = readJson<{ labels?: { name: string; value: string }[] }>(join(folder, file)) ?? {};
      return labels?.find(({ name }) => name === 'tag')?.value ?? 'untold';
    }),
  );
}

const totalOnPage = /data-total="([a-z-]+)"\s+data-count="(\d+)"/g;
const claimOnPage = /data-entry\s+id="[^"]*"\s+data-verdict="([a-z-]+)"/g;

/** What the page counts, or what it has, by verdict. */
function inPage(text: string, each: RegExp): Counts {
  const counts: Record<string, number> = {};
  for (const [, verdict = '', count = '1'] of text.matchAll(each))
    counts[verdict] = (counts[verdict] ?? 0) + Number(count);
  return counts;
}

/** Of a sum such as "257 claims: 75 passed, 0 failed, …"; nothing when it does not add up by itself. */
function inSummary(text: string): Counts {
  const [, all, parts = ''] = /(\d+) claims: (.*)/.exec(text) ?? [];
  const counts = Object.fromEntries(
    [...parts.matchAll(/(\d+) ([a-z-]+)/g)].map(([, count, verdict = '']) => [verdict, Number(count)]),
  );
  const added = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return added === Number(all) ? counts : {};
}
