import { duration } from '#lib/base/progress.ts';
import { diffMarkdown } from './diff-text.ts';
import { isEmpty, type RunDiff } from './diff.ts';
import { oneLine, table } from './markdown.ts';
import type { Matrix, MatrixClaim, MatrixVersion } from './matrix.ts';

/** A matrix as a page: what the versions came to, where they differ, each pair, what is bound to versions, and all. */
export function matrixMarkdown(matrix: Matrix): string {
  const { versions, claims, diffs, asked } = matrix;
  const took = duration(Date.parse(matrix.finishedAt) - Date.parse(matrix.startedAt));
  const names = versions.map(({ version }) => version);
  const parts = ['# Claims by versions of Istio', `Started ${matrix.startedAt}, took ${took}.`];
  if (asked.length > 0) parts.push(`Only a part was asked for: ${asked.join(' ')}.`);
  parts.push(
    table(
      ['version', 'passed', 'red', 'not applicable', 'status', 'took', 'Envoy', 'VM', 'report'],
      versions.map(column),
    ),
  );
  const untold = versions.filter(({ run }) => run === null);
  if (untold.length > 0) parts.push(untold.map(why).join('\n'));
  for (const { version, replaced } of versions)
    if (replaced.length > 0)
      parts.push(`Manifests that were replaced in ${version}: ${replaced.join(', ')}.`);

  const differing = claims.filter(({ differs }) => differs);
  parts.push(`## Where they differ (${String(differing.length)})`);
  parts.push(differing.length > 0 ? rows(differing, names) : 'In no claim.');
  parts.push(
    '## Pair by pair',
    diffs.length > 0 ? diffs.map(pair).join('\n') : 'There is no pair to compare.',
  );
  parts.push(...bounds(claims));
  const looked = claims.filter(({ cells }) => names.some((name) => !unseen.has(cells[name]?.verdict)));
  parts.push(
    `## All claims (${String(looked.length)})`,
    `<details><summary>what was looked at in one version at least</summary>\n\n${rows(looked, names)}\n\n</details>`,
  );
  return `${parts.join('\n\n')}\n`;
}

/** Verdicts of claims that nobody asked for or can look at. */
const unseen: ReadonlySet<string | undefined> = new Set(['not-implemented', 'not-selected', undefined]);

const why = ({ version, said, folder }: MatrixVersion): string =>
  `- ${version} left no report (${folder}/run.log): ${oneLine(said ?? 'it said nothing')}`;

function column({ version, run, status, ms, measured, folder }: MatrixVersion): string[] {
  const { passed = 0, failed = 0, broken = 0, blocked = 0, 'not-applicable': absent = 0 } = run?.totals ?? {};
  const counts = run ? [passed, failed + broken + blocked, absent].map(String) : ['-', '-', '-'];
  const report = run ? `[summary](${folder}/summary.md)` : 'none';
  return [
    version,
    ...counts,
    String(status),
    duration(ms),
    measured['envoy'] ?? '-',
    measured['vmOs'] ?? '-',
    report,
  ];
}

const marks: Readonly<Record<string, string>> = {
  passed: '✓',
  'not-applicable': '○',
  'not-implemented': '·',
};

function rows(claims: readonly MatrixClaim[], versions: readonly string[]): string {
  return table(
    ['claim', ...versions],
    claims.map(({ id, cells }) => [
      `\`${id}\``,
      ...versions.map((version) => {
        const verdict = cells[version]?.verdict;
        if (verdict === undefined) return '';
        return marks[verdict] === undefined ? `**${verdict}**` : `${marks[verdict]} ${verdict}`;
      }),
    ]),
  );
}

function pair(diff: RunDiff): string {
  return isEmpty(diff)
    ? `### From ${diff.from.name} to ${diff.to.name}\n\nNo difference in ${String(diff.compared)} claims.\n`
    : diffMarkdown(diff, 3);
}

function bounds(claims: readonly MatrixClaim[]): string[] {
  const bound = claims.flatMap(({ id, bound: one }) => (one ? [{ id, ...one }] : []));
  if (bound.length === 0) return [];
  return [
    `## Bound to versions (${String(bound.length)})`,
    'proved: passed in every version within and failed in every one outside; consistent: one side was not looked at.',
    table(
      ['claim', 'since', 'until', 'these versions', 'against it'],
      bound.map(({ id, since = '', until = '', outcome, contradictedBy }) => [
        `\`${id}\``,
        since,
        until,
        outcome,
        contradictedBy.join(', '),
      ]),
    ),
  ];
}
