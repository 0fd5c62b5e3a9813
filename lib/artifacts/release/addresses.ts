import { debianName, type Architecture } from '#lib/artifacts/architecture.ts';
import { istioArch } from '#lib/artifacts/istio-arch.ts';
import { packageFile } from '#lib/artifacts/repack.ts';
import type { Settings } from '#lib/base/settings.ts';

type Releases = Settings['lab']['releases'];

/** A released file, and the file that has its checksum. */
export interface ReleasedFile {
  file: string;
  url: string;
  checksums: string;
  /** Other addresses of the same file, in the order in which they are asked. */
  elsewhere?: readonly ReleasedFile[];
}

const beside = (base: string, file: string): ReleasedFile => ({
  file,
  url: `${base}/${file}`,
  checksums: `${base}/${file}.sha256`,
});

/**
 * Istio's release archive, as downloadIstio of its repository fetches it: for the system of this host, as nothing but
 * istioctl comes out of it.
 */
export const istioArchive = (
  { istio }: Pick<Releases, 'istio'>,
  version: string,
  system = istioArch(),
): ReleasedFile => beside(`${istio}/${version}`, `istio-${version}-${system}.tar.gz`);

/**
 * The sidecar's Debian package. Releases up to 1.31 lie in one store; the scripts of later ones publish to another
 * (istio/release-builder, release/publish.sh).
 */
export const istioPackage = (
  { packages }: Pick<Releases, 'packages'>,
  version: string,
  architecture: Architecture,
): ReleasedFile => {
  const [first = beside('', ''), ...elsewhere] = packages.map((base) =>
    beside(`${base}/${version}/deb`, packageFile(architecture)),
  );
  return { ...first, elsewhere };
};

/** What k3s releases for an architecture: its program, its images in the forms that there are, and their checksums. */
export function k3sFiles({ k3s }: Pick<Releases, 'k3s'>, version: string, architecture: Architecture) {
  const name = debianName(architecture);
  // the plus sign of v1.27.7+k3s1
  const base = `${k3s}/${encodeURIComponent(version)}`;
  const checksums = `${base}/sha256sum-${name}.txt`;
  const file = (of: string): ReleasedFile => ({ file: of, url: `${base}/${of}`, checksums });
  const images = ['tar.zst', 'tar.gz', 'tar'].map((form) => file(`k3s-airgap-images-${name}.${form}`));
  return { checksums, program: file(name === 'amd64' ? 'k3s' : `k3s-${name}`), images };
}
