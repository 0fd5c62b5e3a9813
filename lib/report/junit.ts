import { suites } from '#lib/claims/catalogue.ts';
import type { Conformance } from './conformance.ts';
import type { Result } from './results.ts';

/** The report as JUnit XML: a suite of the catalogue is a testsuite, a claim that was asked for is a testcase. */
export function junit({ claims, startedAt }: Conformance): string {
  const asked = claims.filter(({ verdict }) => verdict !== 'not-selected');
  const parts = suites.map((suite) => {
    const cases = asked.filter((claim) => claim.suite === suite);
    return [
      `  <testsuite name="${suite}" timestamp="${startedAt}" ${counts(cases)}>`,
      ...cases.map(testcase),
      `  </testsuite>`,
    ].join('\n');
  });
  const head = `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="conformance" ${counts(asked)}>`;
  return `${head}\n${parts.join('\n')}\n</testsuites>\n`;
}

type Element = 'failure' | 'error' | 'skipped';

const elements: Readonly<Record<string, Element>> = {
  failed: 'failure',
  broken: 'error',
  blocked: 'error',
  'not-applicable': 'skipped',
  'not-implemented': 'skipped',
};

function counts(claims: readonly Result[]): string {
  const count = (element: Element): string =>
    String(claims.filter(({ verdict }) => elements[verdict] === element).length);
  const time = inSeconds(claims.reduce((sum, { durationMs }) => sum + durationMs, 0));
  const numbers = `failures="${count('failure')}" errors="${count('error')}" skipped="${count('skipped')}"`;
  return `tests="${String(claims.length)}" ${numbers} time="${time}"`;
}

function testcase(claim: Result): string {
  const head = `    <testcase classname="${claim.suite}" name="${escaped(claim.id)}" time="${inSeconds(claim.durationMs)}"`;
  const element = elements[claim.verdict];
  if (!element) return `${head} />`;
  const message = `message="${escaped(claim.reason ?? '')}"`;
  const type = `type="${claim.verdict}"`;
  if (element === 'skipped') return `${head}>\n      <skipped ${type} ${message} />\n    </testcase>`;
  const details = [
    claim.statement,
    `expected: ${claim.expected ?? '-'}`,
    `seen: ${claim.seen ?? '-'}`,
    claim.rerun,
  ];
  const text = `<${element} ${type} ${message}>${escaped(details.join('\n'))}</${element}>`;
  return `${head}>\n      ${text}\n    </testcase>`;
}

const inSeconds = (ms: number): string => (ms / 1000).toFixed(3);

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  '\n': '&#10;',
};

function escaped(text: string): string {
  // XML 1.0 has no way to write most control characters
  // eslint-disable-next-line no-control-regex
  const writable = text.replaceAll(/[\u0000-\u0008\u000B\u000C\u000E-\u001F\uFFFE\uFFFF]/g, '�');
  return writable.replaceAll(/[&<>"\n]/g, (found) => entities[found] ?? found);
}
