import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Settings } from '#lib/base/settings.ts';
import { coredns } from './coredns.ts';
import { refuseWithoutRoom } from './disk.ts';
import { envoy } from './envoy.ts';
import { imageStore } from './image-store.ts';
import { images } from './images.ts';
import { agentFor, istio } from './istio.ts';
import { istioVersion } from './istio-versions.ts';
import { kubernetes } from './kubernetes.ts';
import { proxyImage } from './proxy-image.ts';
import { foreignPackage } from './repack.ts';
import { sidecarPackage } from './sidecar-package.ts';
import { small } from './small-programs.ts';
import type { Place } from './store.ts';

/** How the VM is made; its address and its booting are not the business of artifacts. */
export interface VmArtifacts {
  image: (place: Place) => Promise<string>;
  /** The machine with the sidecar's package installed. */
  snapshot: (image: string, sidecarPackage: string, place: Place) => Promise<string>;
}

export interface Artifacts {
  /** Folder of kube-apiserver, kubelet, kubectl and so on. */
  kubernetes: string;
  /** Folder of pilot-discovery, pilot-agent and istioctl. */
  istio: string;
  /** The sidecar's Debian package. */
  sidecarPackage: string;
  /** A prepared containerd root with all images. */
  imageStore: string;
  /** For machines of the other architecture: the sidecar's package, and an image of the proxy for both (OCI layout). */
  arm64: { sidecarPackage: string; proxyImage: string };
  vm: { image: string; snapshot: string };
}

const count = 13;

/** What all artifacts come to, the VM's included, with what building them takes on top. */
const roomMiB = 5500;

/**
 * Everything the lab runs: found in the cache, or built. Compilers take all cores, so they go one after the other, and
 * what needs only one of them first; downloads, packing and the VM go beside them. When one fails the others are ended.
 *
 * @throws RefusedError for a version of Istio that no source has, before anything is built
 */
export async function prepare(settings: Settings, vm: VmArtifacts): Promise<Artifacts> {
  const version = istioVersion(settings.istioVersion);
  const store = join(settings.lab.cache, 'artifacts');
  const built = await readdir(store).catch(() => []);
  // better now than after ten minutes of compiling
  if (!built.some((name) => name.startsWith('kubernetes-')))
    await refuseWithoutRoom('a first build', store, roomMiB);
  const off = new AbortController();
  const place = (i: number): Place => ({ i, n: count, signal: off.signal });

  const proxy = envoy(version.envoy, place(1));
  const mesh = istio(version, place(2));
  const dns = mesh.then(async () => coredns(place(3)));
  const little = dns.then(async () => small(place(4)));
  const cluster = little.then(async () => kubernetes(place(5)));
  const deb = Promise.all([mesh, proxy]).then(async ([a, b]) => sidecarPackage(version, a, b, place(6)));
  const imported = Promise.all([mesh, proxy, dns, little]).then(async (folders) => {
    const [istioDir, envoyDir, corednsDir, smallDir] = folders;
    const sources = { istio: istioDir, envoy: envoyDir, coredns: corednsDir, small: smallDir };
    return imageStore(images(version.version, sources), place(7));
  });
  const foreignProxy = envoy(version.envoy, place(10), 'arm64');
  const foreignAgent = cluster.then(async () => agentFor(version, 'arm64', place(11)));
  const foreign = Promise.all([mesh, proxy, deb, foreignAgent, foreignProxy]).then(async (made) => {
    const [istioDir, envoyDir, own, agentDir, foreignEnvoyDir] = made;
    const arm64 = { agent: agentDir, envoy: foreignEnvoyDir };
    return {
      sidecarPackage: await foreignPackage(own, { ...arm64, architecture: 'arm64' }, place(12)),
      proxyImage: await proxyImage({ x64: { agent: istioDir, envoy: envoyDir }, arm64 }, place(13)),
    };
  });
  const image = vm.image(place(8));
  const snapshot = Promise.all([image, deb]).then(async ([path, file]) => vm.snapshot(path, file, place(9)));

  const native = [proxy, mesh, dns, little, cluster, deb, imported, image, snapshot];
  const all = [...native, foreignProxy, foreignAgent, foreign];
  try {
    await Promise.all(all);
  } catch (error) {
    off.abort();
    // nothing is left running, and nothing half-built, when the error is told
    await Promise.allSettled(all);
    throw error;
  }
  return {
    kubernetes: await cluster,
    istio: await mesh,
    sidecarPackage: await deb,
    imageStore: await imported,
    arm64: await foreign,
    vm: { image: await image, snapshot: await snapshot },
  };
}
