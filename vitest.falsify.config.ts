import { defineConfig } from 'vitest/config';

/** `npm run falsify`: breaks what the claims check, on the lab that the command has brought up. */
export default defineConfig({
  test: {
    include: ['suites/falsifiers.ts'],
    reporters: ['./lib/report/falsify-reporter.ts'],
    env: { CONFORMANCE_FALSIFY: 'yes' },
    pool: 'forks',
    allowOnly: false,
    retry: 0,
    expect: { requireAssertions: true },
  },
});
