import { join } from 'node:path';
import { kubernetesJudge } from '#lib/artifacts/judge.ts';
import { run } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { messageOf, RefusedError } from '#lib/base/errors.ts';
import { writeAtomic } from '#lib/base/files.ts';
import { reportsDir } from '#lib/base/paths.ts';
import { duration, say, step } from '#lib/base/progress.ts';
import { labKubeconfig } from '#lib/distribution/kubeconfig.ts';
import { attachLab } from '#lib/layers/lab.ts';
import { enterLab } from '#lib/machines/local/lab.ts';
import { putImage } from './judge/images.ts';
import { groupNames, judgePlan, titlesIn } from './judge/plan.ts';
import { countsOf, table, type JudgedTest } from './judge/results.ts';
import { runGroup } from './judge/run.ts';

const reportFile = join(reportsDir(), 'judge-kubernetes.json');

/**
 * npm run judge:kubernetes [-- <group>…]
 * Lets the upstream tests of Kubernetes judge the cluster of the lab that stands: its network policies, services
 * and names. Ends with 1 unless every test passed.
 */
async function judge(only: readonly string[]): Promise<boolean> {
  const unknown = only.find((name) => !groupNames.includes(name));
  if (unknown !== undefined) {
    throw new RefusedError(`There is no group of tests "${unknown}"; there are ${groupNames.join(', ')}.`);
  }
  const lab = await attachLab().catch((error: unknown) => {
    throw new RefusedError(messageOf(error), { cause: error });
  });
  if (!lab.features.has('upstream')) {
    throw new RefusedError(
      `The tests of Kubernetes judge what this project has written for the upstream distribution; lab ${lab.name} has ${lab.distribution.name}.`,
    );
  }
  const startedAt = new Date();
  const { program, image, imageNames } = await kubernetesJudge();
  const { stdout: list } = await run([program, '--list-tests'], { within: ours.packing });
  const { groups, leftOut } = judgePlan(titlesIn(list), only);
  for (const node of lab.nodes) await putImage(node, image, imageNames);

  // the tests need the lab's network only; outside of its processes they end with us
  const enter = enterLab(lab.local).filter((word) => word !== '-m' && word !== '-p');
  const log = join(lab.dir, 'judge.log');
  say(`The whole output of the tests: ${log}`);
  const judged: JudgedTest[] = [];
  for (const [index, group] of groups.entries()) {
    const place = { i: index + 1, n: groups.length, expectedMs: group.tests.length * 15_000 };
    await step(`${group.name}: ${String(group.tests.length)} tests`, place, async (note) => {
      const kubectl = join(lab.programs.kubernetes, 'kubectl');
      const kubeconfig = labKubeconfig(lab.local);
      judged.push(...(await runGroup({ program, kubectl, kubeconfig, enter, log }, group, note)));
    });
  }

  const version = JSON.parse(await lab.kube.raw('/version')) as { gitVersion: string };
  const totals = countsOf(judged);
  const report = {
    schemaVersion: 1,
    startedAt: startedAt.toISOString(),
    finishedAt: new Date().toISOString(),
    lab: lab.name,
    measured: { kubernetes: version.gitVersion },
    totals,
    leftOut,
    tests: judged,
  };
  await writeAtomic(reportFile, `${JSON.stringify(report, undefined, 2)}\n`);
  process.stdout.write(`${table(judged)}\n`);
  for (const { reason, tests } of leftOut) {
    process.stdout.write(`left out (${reason}):\n${tests.map((title) => `  ${title}\n`).join('')}`);
  }
  const good = judged.length > 0 && totals.passed === judged.length;
  say(
    `${good ? 'Every' : 'Not every'} test passed: ${String(totals.passed)} of ${String(judged.length)}, after ${duration(Date.now() - startedAt.getTime())}. ${reportFile}`,
  );
  return good;
}

try {
  process.exitCode = (await judge(process.argv.slice(2))) ? 0 : 1;
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = error instanceof RefusedError ? 2 : 1;
}
