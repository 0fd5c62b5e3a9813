import type { Settings } from '#lib/base/settings.ts';
import { ownArchitecture, type Architecture } from './architecture.ts';
import { coredns } from './coredns.ts';
import { imageArchives } from './image-archives.ts';
import { imageStore } from './image-store.ts';
import { images, type Image } from './images.ts';
import { kubectl, kubernetes } from './kubernetes.ts';
import { builtMesh, meshParts, releasedMesh, type Mesh } from './mesh.ts';
import { proxyImage } from './proxy-image.ts';
import { k3s } from './release/k3s.ts';
import { isIstioProxyBuild } from './release/istio-release.ts';
import { small } from './small-programs.ts';
import type { IstioSource } from './source.ts';
import type { Place } from './store.ts';

/** How the VM is made; its address and its booting are not the business of artifacts. */
export interface VmArtifacts {
  architecture: Architecture;
  /** What it is made from on this host; a VM that is launched elsewhere takes none of it. */
  base?: {
    image: (place: Place) => Promise<string>;
    /** The machine with the sidecar's package installed. */
    snapshot: (image: string, sidecarPackage: string, place: Place) => Promise<string>;
  };
}

/** What the nodes get for the Kubernetes that is put on them, beside the programs that every lab has. */
export type ForNodes =
  | {
      is: 'upstream';
      /** A prepared containerd root with all images. */
      imageStore: string;
    }
  | {
      is: 'k3s';
      version: string;
      /** Its program. */
      program: string;
      /** The archive of its own images. */
      images: string;
      /** A folder of archives of the lab's images. */
      archives: string;
    };

export interface Artifacts {
  /** Folder of kube-apiserver, kubelet, kubectl and so on. */
  kubernetes: string;
  /** Folder of pilot-discovery, pilot-agent and istioctl. */
  istio: string;
  /** The sidecar's Debian package for this machine's architecture. */
  sidecarPackage: string;
  forNodes: ForNodes;
  /** For machines of arm64: the sidecar's package, and an image of the proxy for both (OCI layout). */
  arm64: { sidecarPackage: string; proxyImage: string };
  /** The sidecar's package is the one for the VM's architecture. */
  vm: { sidecarPackage: string; base?: { image: string; snapshot: string } };
  /** Whether Envoy is Istio's own build, with the filters that istiod sends unless told not to. */
  istioProxyBuild: boolean;
}

const count = meshParts + 8;

/** k3s brings what a cluster runs by itself, so only the images of Istio and its samples are laid beside it. */
async function forK3s(
  settings: Settings,
  all: readonly Image[],
  place: (i: number) => Place,
): Promise<ForNodes> {
  const others = all.filter(({ name }) => !name.startsWith('registry.k8s.io/'));
  const released = await k3s(settings, place(meshParts + 8));
  const archives = await imageArchives(others, place(meshParts + 4));
  return { is: 'k3s', version: settings.lab.k3sVersion, ...released, archives };
}

/**
 * Everything the lab runs: found in the cache, downloaded, or built. Compilers take all cores, so they go one after the
 * other, and what needs only one of them first; downloads, packing and the VM go beside them. When one fails the others
 * are ended.
 *
 * @param source where Istio comes from, as `istioSource` decided
 * @throws RefusedError that names what a download lacks, or when the disk is full
 */
export async function prepare(settings: Settings, source: IstioSource, vm: VmArtifacts): Promise<Artifacts> {
  const off = new AbortController();
  const place = (i: number): Place => ({ i, n: count, signal: off.signal });

  const mesh = meshOf(source, place);
  const dns = mesh.compiled.then(async () => coredns(place(meshParts + 1)));
  const little = dns.then(async () => small(place(meshParts + 2)));
  const cluster = little.then(async () => kubernetes(place(meshParts + 3)));
  const imported = Promise.all([mesh.istio, mesh.envoy, dns, little, mesh.pulled]).then(async (made) => {
    const [istio, envoy, corednsDir, smallDir, pulled] = made;
    const sources = { istio, envoy, coredns: corednsDir, small: smallDir, ...(pulled && { pulled }) };
    const all = images(settings.istioVersion, sources);
    return settings.lab.distribution === 'k3s'
      ? forK3s(settings, all, place)
      : { is: 'upstream' as const, imageStore: await imageStore(all, place(meshParts + 4)) };
  });
  const vmPackage = packageFor(mesh, vm.architecture);
  const base = vm.base && baseOf(vm.base, vmPackage, place);
  const foreign = Promise.all([mesh.istio, mesh.envoy, mesh.arm64]).then(async ([agent, envoy, arm64]) =>
    proxyImage({ x64: { agent, envoy }, arm64 }, place(meshParts + 7)),
  );

  await allOrNone(
    [...mesh.all, dns, little, cluster, imported, foreign, ...(base ? Object.values(base) : [])],
    off,
  );
  return {
    ...(await forClients(source, mesh, cluster)),
    forNodes: await imported,
    arm64: { sidecarPackage: (await mesh.arm64).sidecarPackage, proxyImage: await foreign },
    vm: {
      sidecarPackage: await vmPackage,
      ...(base && { base: { image: await base.image, snapshot: await base.snapshot } }),
    },
  };
}

/** The image of the VM, and its snapshot as soon as there is a package to install. */
function baseOf(
  base: NonNullable<VmArtifacts['base']>,
  sidecarPackage: Promise<string>,
  place: (i: number) => Place,
): Record<'image' | 'snapshot', Promise<string>> {
  const image = base.image(place(meshParts + 5));
  const snapshot = Promise.all([image, sidecarPackage]).then(async ([path, file]) =>
    base.snapshot(path, file, place(meshParts + 6)),
  );
  return { image, snapshot };
}

/** What it takes to put Istio on a cluster and a VM that are there: nothing that a node or a disk is made of. */
export type ClientArtifacts = Pick<Artifacts, 'kubernetes' | 'istio' | 'sidecarPackage' | 'istioProxyBuild'>;

/**
 * These alone: found in the cache, downloaded, or built.
 *
 * @param architecture of the VM that the sidecar's package is for
 * @throws RefusedError as `prepare` does
 */
export async function prepareClients(
  source: IstioSource,
  architecture: Architecture,
): Promise<ClientArtifacts> {
  const off = new AbortController();
  const place = (i: number): Place => ({ i, n: meshParts + 1, signal: off.signal });
  const mesh = meshOf(source, place);
  // what else a lab on Linux may take is in its cache for any lab; no other system can run more of it than kubectl
  const programs = process.platform === 'linux' ? kubernetes : kubectl;
  const cluster = mesh.compiled.then(async () => programs(place(meshParts + 1)));
  await allOrNone([...mesh.all, cluster], off);
  const clients = await forClients(source, mesh, cluster);
  return { ...clients, sidecarPackage: await packageFor(mesh, architecture) };
}

/** The sidecar's package for a VM of this machine's architecture, or else of arm64. */
const packageFor = async (mesh: Mesh, architecture: Architecture): Promise<string> =>
  architecture === ownArchitecture ? mesh.sidecarPackage : (await mesh.arm64).sidecarPackage;

const meshOf = (source: IstioSource, place: (i: number) => Place): Mesh =>
  source.is === 'release' ? releasedMesh(source.release, place) : builtMesh(source.version, place);

/** Waits for all; when one fails, nothing is left running, and nothing half-built, by the time the error is told. */
async function allOrNone(all: readonly Promise<unknown>[], off: AbortController): Promise<void> {
  try {
    await Promise.all(all);
  } catch (error) {
    off.abort();
    await Promise.allSettled(all);
    throw error;
  }
}

async function forClients(
  source: IstioSource,
  mesh: Mesh,
  cluster: Promise<string>,
): Promise<ClientArtifacts> {
  const istio = await mesh.istio;
  return {
    kubernetes: await cluster,
    istio,
    sidecarPackage: await mesh.sidecarPackage,
    istioProxyBuild: source.is === 'release' && isIstioProxyBuild(istio),
  };
}
