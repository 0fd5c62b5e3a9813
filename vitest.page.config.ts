import { defineConfig } from 'vitest/config';

/** `npm run test:page`: the page of a run in a real browser; skipped, and says so, where there is none. */
export default defineConfig({
  test: {
    include: ['lib/report/page/browser/*.browser.ts'],
    allowOnly: false,
    expect: { requireAssertions: true },
    testTimeout: 60_000,
    hookTimeout: 60_000,
    reporters: ['verbose'],
  },
});
