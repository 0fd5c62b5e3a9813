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

/** The versions that the modules source has. */
export const moduleVersions = (): string[] => Object.keys(known());

/** What the modules source knows of an Istio version. @throws RefusedError that names the versions there are */
export function istioVersion(version: string): IstioVersion {
  const found = known()[version];
  if (found) return { version, ...found };
  throw new RefusedError(
    `ISTIO_VERSION=${version} is in no artifact source: modules has ${moduleVersions().join(', ')}, and ARTIFACT_SOURCE=modules leaves release (1.19 or newer) out.`,
  );
}

const known = (): Record<string, Omit<IstioVersion, 'version'>> =>
  parse(readFileSync(fixture('artifacts', 'istio.yaml'), 'utf8')) as Record<
    string,
    Omit<IstioVersion, 'version'>
  >;
