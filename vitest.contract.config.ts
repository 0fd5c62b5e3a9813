import { ours } from '#lib/base/deadlines.ts';
import { defineConfig } from 'vitest/config';

/** `npm run contract -- <provider>`: what every provider of machines promises, seen on real machines. */
export default defineConfig({
  test: {
    include: ['lib/contract/**/*.contract.ts'],
    reporters: ['verbose'],
    pool: 'forks',
    allowOnly: false,
    retry: 0,
    expect: { requireAssertions: true },
    testTimeout: ours.contractTest.mostMs,
  },
});
