import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { defineConfig } from 'vitest/config';

/** Files in the order of their names, not by what took long or failed the last time. */
class ByName extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => (a.moduleId < b.moduleId ? -1 : 1));
  }
}

/** What brings up a second lab comes when the first is not coming up beside it any more. */
const secondLab = 'suites/01-cluster/whole-cluster.test.ts';

/** In the order in which they run. */
const projects = [
  ...['01-cluster', '02-istio', '03-vm', '04-traffic', '05-policy'].map((name) => ({
    name,
    include: [`suites/${name}/**/*.test.ts`],
    exclude: [secondLab],
  })),
  { name: '01-cluster, in a second lab', include: [secondLab], exclude: [] },
];

export default defineConfig({
  test: {
    globalSetup: './suites/global-setup.ts',
    reporters: ['./lib/report/reporter.ts'],
    sequence: { sequencer: ByName },
    // a claim that was seen once only by chance must not be called seen
    allowOnly: false,
    projects: projects.map((project, place) => ({
      test: {
        ...project,
        sequence: { groupOrder: place },
        pool: 'forks' as const,
        // one process for the suite, one claim at a time: they share the lab
        isolate: false,
        fileParallelism: false,
        maxWorkers: 1,
        retry: 0,
        expect: { requireAssertions: true },
        // whatever a hook waits for has its own deadline, by the patience in force then
        hookTimeout: 0,
      },
    })),
  },
});
