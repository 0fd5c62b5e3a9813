import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { attempt } from '#lib/base/command.ts';
import { inWholeSeconds, together } from '#lib/base/deadline.ts';
import { ours } from '#lib/base/deadlines.ts';
import { readJson } from '#lib/base/files.ts';
import { say } from '#lib/base/progress.ts';
import { focusOn, type Group } from './plan.ts';
import { resultsOf, type GinkgoReport, type JudgedTest } from './results.ts';

export interface Judge {
  /** The program with the tests. */
  program: string;
  kubectl: string;
  kubeconfig: string;
  /** Words that put a command into the lab's network. */
  enter: readonly string[];
  /** The file that the whole output is appended to. */
  log: string;
}

/** Runs the tests of a group, one after the other, from inside the lab. Says which ended how, as it goes. */
export async function runGroup(
  judge: Judge,
  { name, tests }: Group,
  note: (text: string) => void,
): Promise<JudgedTest[]> {
  const folder = await mkdtemp(join(tmpdir(), 'judge-'));
  const report = join(folder, 'report.json');
  let title = '';
  let done = 0;
  const follow = (line: string): void => {
    // behind the title stand its labels
    title = tests.find((one) => line.startsWith(`${one} [`)) ?? title;
    const ended = /^• (?:\[(\w+)[^\]]*\] )?\[([\d.]+) seconds\]/.exec(line);
    if (!ended) return;
    done += 1;
    say(
      `${name} [${String(done)}/${String(tests.length)}] ${(ended[1] ?? 'passed').toLowerCase()} in ${ended[2] ?? '?'} s: ${title}`,
    );
    note(`${String(done)} ended`);
  };
  try {
    await attempt(
      [
        ...judge.enter,
        judge.program,
        '--provider=skeleton',
        `--kubeconfig=${judge.kubeconfig}`,
        `--kubectl-path=${judge.kubectl}`,
        '--disable-log-dump',
        '--ginkgo.v',
        '--ginkgo.no-color',
        `--ginkgo.timeout=${inWholeSeconds(ours.judge)}s`,
        `--ginkgo.focus=${focusOn(tests)}`,
        `--ginkgo.json-report=${report}`,
      ],
      { within: together(ours.judge, ours.judgeMargin), onLine: follow, log: judge.log },
    );
    return resultsOf(name, tests, readJson<GinkgoReport>(report) ?? []);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
