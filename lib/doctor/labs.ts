import { findLab } from '#lib/machines/local/lab.ts';
import { labNames } from '#lib/machines/local/sweep.ts';
import type { Check } from './finding.ts';

/** Other labs of this cache or with control groups here, and what is left of labs that are gone. */
export const labs: Check = {
  what: 'labs',
  look: async (_host, { settings }) => {
    const what = 'labs';
    const names = labNames();
    const standing = await Promise.all(names.map(async (name) => ({ name, lab: await findLab(name) })));
    const stands = standing.filter(({ lab }) => lab).map(({ name }) => name);
    const left = standing.filter(({ lab }) => !lab).map(({ name }) => name);
    const others = stands.filter((name) => name !== settings.lab.name);
    return [
      {
        what,
        state: others.length > 0 ? 'note' : 'good',
        found: stands.length > 0 ? `running: ${stands.join(', ')}` : 'none runs',
      },
      ...(left.length > 0
        ? [
            {
              what,
              state: 'note' as const,
              found: `left over: ${left.join(', ')}`,
              mend: 'npm run lab -- gc',
            },
          ]
        : []),
    ];
  },
};
