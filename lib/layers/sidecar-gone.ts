import { change, type Change } from '#lib/kube/manifest.ts';
import type { Lab } from './lab.ts';
import { together } from './passing.ts';
import { redirectsKept } from './redirects-kept.ts';
import { killSidecar, runningSidecar } from './sidecar.ts';

/** The sidecar ended, while what it would take is still redirected to it. */
export async function sidecarGone(lab: Lab): Promise<Change> {
  return together(
    async () => runningSidecar(lab),
    async () => redirectsKept(lab),
    async () => {
      await killSidecar(lab);
      return change('the sidecar ended', async () => Promise.resolve());
    },
  );
}
