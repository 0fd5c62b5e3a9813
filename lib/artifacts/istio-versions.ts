import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { RefusedError } from '#lib/base/errors.ts';
import { fixture } from '#lib/base/paths.ts';

/** One Istio version of the modules source. */
export interface IstioVersion {
  version: string;
  /** The pseudo-version of the module istio.io/istio. */
  module: string;
  /** The version of the stock Envoy that goes with it. */
  envoy: string;
  /** The version of the sidecar's Debian package. */
  package: string;
}

/** What is known of an Istio version. @throws RefusedError that names the versions there are */
export function istioVersion(version: string, table = fixture('artifacts', 'istio.yaml')): IstioVersion {
  const known = parse(readFileSync(table, 'utf8')) as Record<string, Omit<IstioVersion, 'version'>>;
  const found = known[version];
  if (!found) {
    const versions = Object.keys(known).join(', ');
    throw new RefusedError(
      `ISTIO_VERSION=${version} is in no artifact source: modules has ${versions}; release (official downloads) is not supported yet.`,
    );
  }
  return { version, ...found };
}
