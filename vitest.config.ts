import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { defineConfig } from 'vitest/config';

/** Files in the order of their names, not by what took long or failed the last time. */
class ByName extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return files.toSorted((a, b) => (a.moduleId < b.moduleId ? -1 : 1));
  }
}

const suites = ['01-cluster', '02-istio', '03-vm', '04-traffic', '05-policy'];

export default defineConfig({
  test: {
    globalSetup: './suites/global-setup.ts',
    reporters: ['./lib/report/reporter.ts'],
    sequence: { sequencer: ByName },
    // a claim that was seen once only by chance must not be called seen
    allowOnly: false,
    projects: suites.map((name, place) => ({
      test: {
        name,
        include: [`suites/${name}/**/*.test.ts`],
        sequence: { groupOrder: place },
        pool: 'forks' as const,
        // one process for the suite, one claim at a time: they share the lab
        isolate: false,
        fileParallelism: false,
        maxWorkers: 1,
        retry: 0,
        expect: { requireAssertions: true },
        // bringing the layers up is the work of the first hook; cold, it builds Kubernetes and Istio
        hookTimeout: 40 * 60_000,
      },
    })),
  },
});
