import { beforeAll, describe } from 'vitest';
import { ours } from '#lib/base/deadlines.ts';
import { implemented } from '#lib/claims/implemented.ts';
import { witnesses } from '#lib/claims/witnesses.ts';

// For `npm run falsify`: every claim in one process, so that some can be looked at while another is broken.

beforeAll(witnesses.rest, ours.witnessesHook.mostMs);

for (const file of new Set(implemented(import.meta.dirname).map((proof) => proof.file))) {
  describe(file, async () => {
    await import(/* @vite-ignore */ `./${file}`);
  });
}
