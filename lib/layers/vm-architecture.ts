import { vmArchitecture, type Architecture } from '#lib/artifacts/architecture.ts';
import type { Lab } from './lab.ts';

/** The architecture of the lab's VM, and the one for which its dpkg takes no package. */
export function architecturesOf({ settings }: Pick<Lab, 'settings'>): Record<'own' | 'other', Architecture> {
  const own = vmArchitecture(settings);
  return { own, other: own === 'arm64' ? 'x64' : 'arm64' };
}
