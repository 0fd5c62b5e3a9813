import type { Settings } from '#lib/base/settings.ts';

/** The name under which a VM knows istiod, such as istiod-1-27-9.istio-system.svc. */
export const istiodHost = ({ settings }: { settings: Settings }): string =>
  `istiod-${settings.istioRevision}.${settings.istioNamespace}.svc`;
