import { RefusedError } from '#lib/base/errors.ts';

/** The systems that a release of Istio has an istioctl for, Windows apart, as the article's ISTIO_ARCH names them. */
export const istioArchs = ['osx-arm64', 'osx-amd64', 'linux-armv7', 'linux-arm64', 'linux-amd64'] as const;
export type IstioArch = (typeof istioArchs)[number];

const systems: Readonly<Record<string, string>> = { darwin: 'osx' };
const processors: Readonly<Record<string, string>> = { x64: 'amd64', arm: 'armv7' };

/**
 * The name that Istio has for a system (this one unless told).
 *
 * @throws RefusedError that names those there are
 */
export function istioArch(platform: string = process.platform, arch: string = process.arch): IstioArch {
  const name = `${systems[platform] ?? platform}-${processors[arch] ?? arch}`;
  const found = istioArchs.find((one) => one === name);
  if (found) return found;
  throw new RefusedError(`Istio has no istioctl for ${name}; it has one for ${istioArchs.join(', ')}.`);
}
