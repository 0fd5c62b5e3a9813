import { join } from 'node:path';
import { coredns } from '#lib/artifacts/coredns.ts';
import { envoy } from '#lib/artifacts/envoy.ts';
import { imageStore } from '#lib/artifacts/image-store.ts';
import { images } from '#lib/artifacts/images.ts';
import { istio } from '#lib/artifacts/istio.ts';
import { istioVersion } from '#lib/artifacts/istio-versions.ts';
import { kubernetes } from '#lib/artifacts/kubernetes.ts';
import { sidecarPackage } from '#lib/artifacts/sidecar-package.ts';
import { small } from '#lib/artifacts/small-programs.ts';
import { vmImage } from '#lib/artifacts/vm-image.ts';
import type { Settings } from '#lib/base/settings.ts';
import { vmSnapshot } from '#lib/machines/local/snapshot.ts';
import { networks } from '#lib/machines/local/topology.ts';
import type { Programs } from './lab.ts';

const steps = 9;

/**
 * Everything the lab runs: found in the cache, or built. Compiling uses all cores, so compilers go one after the other;
 * what mostly waits for the network or for the VM to boot goes beside them.
 *
 * @throws RefusedError for a version of Istio that no source has, before anything is built
 */
export async function programs(settings: Settings): Promise<Programs> {
  const version = istioVersion(settings.istioVersion);
  let i = 0;
  const next = (): { i: number; n: number } => ({ i: (i += 1), n: steps });

  const beside = (async () => {
    const [proxy, image] = await Promise.all([
      envoy(version.envoy, next()),
      vmImage(
        { hostname: settings.vmName, address: `${networks.vm}/24`, diskGiB: settings.sizes.vm.diskGiB },
        next(),
      ),
    ]);
    return { proxy, image };
  })();
  // a failed download must not be lost while the compilers run
  beside.catch(() => undefined);

  const cluster = await kubernetes(next());
  const mesh = await istio(version, next());
  const sources = { istio: mesh, coredns: await coredns(next()), small: await small(next()) };
  const { proxy, image } = await beside;
  const snapshot = await vmSnapshot(image, settings.vmName, settings.sizes.vm, next());
  return {
    kubernetes: cluster,
    istio: mesh,
    sidecarPackage: await sidecarPackage(version, mesh, proxy, next()),
    imageStore: join(await imageStore(images(settings.istioVersion, { ...sources, envoy: proxy }), next())),
    vm: { image, snapshot },
  };
}
