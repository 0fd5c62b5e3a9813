import { istioArch, istioArchs } from '#lib/artifacts/istio-arch.ts';
import { messageOf } from '#lib/base/errors.ts';

/** The systems that Istio has its clients for. */
export const pinned = { istioArchs } as const;

/** What Istio calls a system (this one unless told), or why an istioctl for it is refused before anything is built. */
export function istioctlFor(platform?: string, arch?: string): string {
  try {
    return istioArch(platform, arch);
  } catch (error) {
    return messageOf(error);
  }
}
