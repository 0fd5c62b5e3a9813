import { RefusedError } from '#lib/base/errors.ts';
import type { Settings } from '#lib/base/settings.ts';

/** Refuses to break on purpose what is somebody else's. @throws RefusedError for a lab on a cluster that exists */
export function refuseUnlessOwn({ lab }: Pick<Settings, 'lab'>, what: string): void {
  if (lab.provider !== 'existing') return;
  throw new RefusedError(
    `${what} on purpose, and with LAB_PROVIDER=existing the lab is on somebody else's cluster; take another provider.`,
  );
}
