import { kubernetesVersion } from '#lib/distribution/upstream.ts';

/** The versions that this harness builds whatever the settings say. */
export const pinned = { kubernetes: kubernetesVersion } as const;
