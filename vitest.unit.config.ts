import { defineConfig } from 'vitest/config';

/** The project's own tests: no root, no lab, no network. */
export default defineConfig({
  test: {
    allowOnly: false,
    projects: [
      {
        test: {
          name: 'lib',
          include: ['*.test.ts', 'lib/**/*.test.ts'],
          expect: { requireAssertions: true },
          maxWorkers: 2,
          testTimeout: 20_000,
        },
      },
      {
        // the suites as they are, on labs that are none: not one of their claims may pass there
        test: {
          name: 'inert',
          include: ['suites/**/*.test.ts'],
          setupFiles: ['lib/inert/setup.ts'],
          isolate: false,
          maxWorkers: 2,
        },
      },
    ],
  },
});
