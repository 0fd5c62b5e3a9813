import { hostPackages, installing } from '#lib/artifacts/host-packages.ts';
import { examine, isLacking, refuseLacking } from '#lib/doctor/examine.ts';
import type { Asked, Finding } from '#lib/doctor/finding.ts';
import { here } from '#lib/doctor/host.ts';
import { packagesName } from '#lib/doctor/programs.ts';
import { step } from '#lib/base/progress.ts';
import type { Settings } from '#lib/base/settings.ts';
import { findLab } from '#lib/machines/local/lab.ts';
import { ownNetwork, vmMadeHere } from './own-network.ts';

/** What a run with these settings needs of this host. */
export async function askedOf(settings: Settings): Promise<Asked> {
  const { provider, name } = settings.lab;
  return {
    settings,
    machinesHere: provider !== 'existing' && ownNetwork(settings) !== undefined,
    vm: vmMadeHere(settings),
    stands: (await findLab(name)) !== undefined,
  };
}

/**
 * Looks at this host as doctor does, and installs Debian packages when nothing else is lacking. What takes these
 * packages to look at is looked at after that.
 *
 * @throws RefusedError that says in doctor's words what a run would fail for
 */
export async function makeFit(settings: Settings): Promise<void> {
  const [asked, host] = [await askedOf(settings), here()];
  const looked = async (): Promise<Finding[]> =>
    step('Looking at this machine', { quiet: true }, async () => examine(asked, host));
  const findings = await looked();
  const lacking = findings.filter(isLacking);
  const onlyPackages = lacking.length > 0 && lacking.every(({ what }) => what === packagesName);
  if (!onlyPackages || !installing([], host).byUs) {
    refuseLacking(findings);
    return;
  }
  await hostPackages(asked.vm, host);
  refuseLacking(await looked());
}
