import { prepare, type VmArtifacts } from '#lib/artifacts/artifacts.ts';
import { vmArchitecture, type Architecture } from '#lib/artifacts/architecture.ts';
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
 * @param ownVm whether its VM, if it has one, is made on this host
 */
export async function programs(
  settings: Settings,
  source: IstioSource,
  { ownVm }: { ownVm: boolean },
): Promise<Programs> {
  const architecture = vmArchitecture(settings);
  const base = ownVm ? baseOf(settings, architecture) : undefined;
  return prepare(settings, source, { architecture, ...(base && { base }) });
}

/** What the VM is made from on this host, unless the lab has none. */
function baseOf(settings: Settings, architecture: Architecture): VmArtifacts['base'] {
  const { vmName, sizes, lab } = settings;
  const { vmOs: os, debianMirror: mirror } = lab;
  if (os === 'none') return undefined;
  const { diskGiB } = sizes.vm;
  const plan = { hostname: vmName, address: `${localAddresses.vm}/24`, diskGiB, architecture, os, mirror };
  return {
    image: async (place) => vmImage(plan, place),
    snapshot: async (image, sidecarPackage, place) =>
      vmSnapshot(image, vmName, sizes.vm, installing(sidecarPackage), place),
  };
}
