import { endedIn, endOf } from '#lib/base/ended.ts';
import { died, named } from '#lib/distribution/died.ts';
import { programsStay } from '#lib/distribution/programs-stay.ts';
import { apiReady, nodesReady } from '#lib/distribution/ready.ts';
import type { Lab } from './lab.ts';

/** What a lab tells of the programs of its cluster; undefined when that is somebody else's. */
export function programsOf(lab: Lab) {
  if (!lab.features.has('own-cluster')) return undefined;
  return {
    /**
     * What ended although nobody stopped it, a sentence each. Machines with no supervisor of ours tell only that a
     * program is gone, and are asked only when that is worth entering them.
     */
    ended: async (since: number, thorough: boolean): Promise<string[]> => {
      const seen = endedIn(lab.dir, since).map(endOf);
      if (!thorough) return seen;
      const gone = await died(
        lab.distribution,
        lab.nodes.filter(({ supervised }) => !supervised),
      ).catch(() => []);
      return [...seen, ...gone.map((one) => `${named(one)} ended and is not started again`)];
    },
    /** Waits until every program runs, the API server is ready and so are the nodes. */
    healed: async (): Promise<void> => {
      await programsStay(lab.local, lab.distribution, lab.nodes);
      const kube = await apiReady(lab);
      await nodesReady(kube, lab.nodes.length);
    },
  };
}
