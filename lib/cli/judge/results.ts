/** What became of one test. A test that skipped itself, or did not run, judged nothing. */
export interface JudgedTest {
  title: string;
  group: string;
  verdict: 'passed' | 'failed' | 'skipped' | 'not-run';
  seconds: number;
  reason?: string;
}

/** A report of ginkgo, as far as it is read here. */
export type GinkgoReport = readonly {
  SpecReports?: readonly {
    ContainerHierarchyTexts?: readonly string[] | null;
    LeafNodeText: string;
    State: string;
    /** In nanoseconds. */
    RunTime: number;
    Failure?: { Message?: string };
  }[];
}[];

/** The verdict on each test that was asked for; one that the report does not have was not run. */
export function resultsOf(group: string, tests: readonly string[], report: GinkgoReport): JudgedTest[] {
  const specs = new Map(
    report
      .flatMap(({ SpecReports }) => SpecReports ?? [])
      .map((spec) => [[...(spec.ContainerHierarchyTexts ?? []), spec.LeafNodeText].join(' ').trim(), spec]),
  );
  return tests.map((title) => {
    const spec = specs.get(title);
    if (!spec) return { title, group, verdict: 'not-run', seconds: 0, reason: 'the report does not have it' };
    const reason = spec.Failure?.Message;
    return {
      title,
      group,
      verdict: verdictOf(spec.State, spec.RunTime),
      seconds: Math.round(spec.RunTime / 1e8) / 10,
      ...(reason === undefined ? {} : { reason }),
    };
  });
}

function verdictOf(state: string, runTime: number): JudgedTest['verdict'] {
  if (state === 'passed') return 'passed';
  // ginkgo calls "skipped" also what its own filter kept from running
  if (state === 'skipped') return runTime > 0 ? 'skipped' : 'not-run';
  return state === 'pending' ? 'not-run' : 'failed';
}

export type Counts = Record<JudgedTest['verdict'], number>;

export function countsOf(tests: readonly JudgedTest[]): Counts {
  const counts: Counts = { passed: 0, failed: 0, skipped: 0, 'not-run': 0 };
  for (const { verdict } of tests) counts[verdict] += 1;
  return counts;
}

/** A table with one line for each test, and one for each group. */
export function table(tests: readonly JudgedTest[]): string {
  const lines: string[] = [];
  for (const group of new Set(tests.map((one) => one.group))) {
    const own = tests.filter((one) => one.group === group);
    const counts = countsOf(own);
    const took = own.reduce((sum, { seconds }) => sum + seconds, 0);
    lines.push(
      `${group}: ${String(counts.passed)} passed, ${String(counts.failed)} failed, ` +
        `${String(counts.skipped + counts['not-run'])} not judged, ${took.toFixed(0)} s`,
    );
    for (const { title, verdict, seconds, reason } of own) {
      lines.push(`  ${verdict.padEnd(7)} ${seconds.toFixed(1).padStart(6)} s  ${title}`);
      if (verdict !== 'passed' && reason) lines.push(`                    ${reason.split('\n')[0] ?? ''}`);
    }
  }
  return lines.join('\n');
}
