import { prepare, type VmArtifacts } from '#lib/artifacts/artifacts.ts';
import { vmArchitecture } from '#lib/artifacts/architecture.ts';
import type { IstioSource } from '#lib/artifacts/source.ts';
import { vmImage } from '#lib/artifacts/vm-image.ts';
import type { Settings } from '#lib/base/settings.ts';
import { localAddresses } from '#lib/machines/local/addresses.ts';
import { vmSnapshot } from '#lib/machines/local/snapshot.ts';
import type { Programs } from './lab.ts';
import { installing } from './workload.ts';

/**
 * Everything the lab runs: found in the cache, downloaded, or built.
 *
 * @param ownVm whether its VM is made on this host
 */
export async function programs(
  settings: Settings,
  source: IstioSource,
  { ownVm }: { ownVm: boolean },
): Promise<Programs> {
  const { diskGiB } = settings.sizes.vm;
  const architecture = vmArchitecture(settings);
  const base: VmArtifacts['base'] = {
    image: async (place) =>
      vmImage(
        { hostname: settings.vmName, address: `${localAddresses.vm}/24`, diskGiB, architecture },
        place,
      ),
    snapshot: async (image, sidecarPackage, place) =>
      vmSnapshot(image, settings.vmName, settings.sizes.vm, installing(sidecarPackage), place),
  };
  return prepare(settings, source, { architecture, ...(ownVm ? { base } : {}) });
}
