import { ownArchitecture } from './architecture.ts';
import { envoy } from './envoy.ts';
import { agentFor, istio } from './istio.ts';
import type { IstioVersion } from './istio-versions.ts';
import { packageIn, releasedPrograms, type IstioRelease } from './release/istio-release.ts';
import { archiveOf } from './release/pulled-image.ts';
import { foreignPackage } from './repack.ts';
import { sidecarPackage } from './sidecar-package.ts';
import { made, type Place } from './store.ts';

/** What there is of Istio, each part as soon as it is made. */
export interface Mesh {
  /** Folder of pilot-discovery, pilot-agent and istioctl, with packaging/ in it. */
  istio: Promise<string>;
  /** Folder of envoy. */
  envoy: Promise<string>;
  /** The sidecar's package for this machine's architecture. */
  sidecarPackage: Promise<string>;
  /** Archives of Istio's own images, when it does not take built ones. */
  pulled: Promise<{ pilot: string; proxyv2: string } | undefined>;
  /** The sidecar's package and folders of its programs for arm64. */
  arm64: Promise<{ sidecarPackage: string; agent: string; envoy: string }>;
  /** Until then the compilers are busy. */
  compiled: Promise<unknown>;
  /** Everything that is under way, so that it can be waited for. */
  all: readonly Promise<unknown>[];
}

/** Where its parts stand in the list of all artifacts. */
type PlaceOf = (i: number) => Place;

/** How many of the list are Istio's own parts. */
export const meshParts = 7;

/** Istio by the modules source, with stock Envoy. */
export function builtMesh(version: IstioVersion, place: PlaceOf): Mesh {
  const proxy = envoy(version.envoy, place(1));
  const programs = istio(version, place(2));
  const deb = Promise.all([programs, proxy]).then(async ([a, b]) => sidecarPackage(version, a, b, place(3)));
  const foreignProxy = envoy(version.envoy, place(4), 'arm64');
  const foreignAgent = programs.then(async () => agentFor(version, 'arm64', place(5)));
  const arm64 = Promise.all([deb, foreignAgent, foreignProxy]).then(async ([own, agent, foreign]) => ({
    sidecarPackage: await foreignPackage(own, { agent, envoy: foreign, architecture: 'arm64' }, place(6)),
    agent,
    envoy: foreign,
  }));
  return {
    ...{ istio: programs, envoy: proxy, sidecarPackage: deb, arm64, compiled: foreignAgent },
    pulled: Promise.resolve(undefined),
    all: [proxy, programs, deb, foreignProxy, foreignAgent, arm64],
  };
}

/** Istio by the release source: everything is downloaded, and Envoy is Istio's own build. */
export function releasedMesh({ archive, packages, images }: IstioRelease, place: PlaceOf): Mesh {
  const archived = made(archive, place(1));
  const own = made(packages[ownArchitecture], place(2));
  const foreign = ownArchitecture === 'arm64' ? own : made(packages.arm64, place(3));
  const pilot = made(images.pilot, place(4));
  const proxyv2 = made(images.proxyv2, place(5));
  const sidecar = own.then((folder) => packageIn(folder, ownArchitecture));
  const programs = Promise.all([sidecar, archived, pilot]).then(async ([deb, istioctl, image]) =>
    releasedPrograms(deb, ownArchitecture, { archive: istioctl, pilot: image }, place(6)),
  );
  const arm64 = foreign.then(async (folder) => {
    const deb = packageIn(folder, 'arm64');
    const both = await releasedPrograms(deb, 'arm64', undefined, place(7));
    return { sidecarPackage: deb, agent: both, envoy: both };
  });
  const pulled = Promise.all([pilot, proxyv2]).then(([a, b]) => ({
    pilot: archiveOf(a),
    proxyv2: archiveOf(b),
  }));
  return {
    ...{ istio: programs, envoy: programs, sidecarPackage: sidecar, arm64, pulled },
    compiled: Promise.resolve(),
    all: [archived, own, foreign, pilot, proxyv2, sidecar, programs, arm64, pulled],
  };
}
