import { defineConfig } from 'vitest/config';

/** The project's own tests: no root, no lab, no network. */
export default defineConfig({
  test: {
    name: 'lib',
    include: ['*.test.ts', 'lib/**/*.test.ts'],
    expect: { requireAssertions: true },
    allowOnly: false,
    maxWorkers: 2,
    testTimeout: 20_000,
  },
});
