import { join } from 'node:path';
import { ownArchitecture, type Architecture } from '#lib/artifacts/architecture.ts';
import { prepareClients } from '#lib/artifacts/artifacts.ts';
import { packaged } from '#lib/artifacts/release/istio-release.ts';
import { istioSource } from '#lib/artifacts/source.ts';
import { RefusedError } from '#lib/base/errors.ts';
import { exists, writeAtomic } from '#lib/base/files.ts';
import { ownProgram } from '#lib/base/own-program.ts';
import { labDir } from '#lib/base/paths.ts';
import { keepPatience } from '#lib/base/patience.ts';
import { say, step } from '#lib/base/progress.ts';
import type { Settings } from '#lib/base/settings.ts';
import { temporary } from '#lib/base/temporary.ts';
import { hostKubeconfig } from '#lib/distribution/kubeconfig.ts';
import { kubeClient } from '#lib/kube/client.ts';
import { contextOf, type Context } from '#lib/kube/kubeconfig.ts';
import { missingRights } from '#lib/kube/rights.ts';
import { clientEnv, clientSettings } from '#lib/layers/client-env.ts';
import { labOf, measured, type Lab, type Programs } from '#lib/layers/lab.ts';
import { forgetFailures, layerNames } from '#lib/layers/layer.ts';
import { learnPatience } from '#lib/layers/patience.ts';
import { existingProvider, type ExistingProvider } from '#lib/machines/existing/provider.ts';
import { existingSettings, type ExistingSettings } from '#lib/machines/existing/settings.ts';
import { quoted } from '#lib/machines/existing/ssh.ts';
import { closeLab, findLab, keepLab, openLab } from '#lib/machines/local/lab.ts';
import { lookAtCluster, neededForMesh, neededRights } from './look.ts';
import { ownerName } from './marks.ts';
import { planForCluster, refuseProxy, refuseUnfit, type Outlook } from './plan.ts';
import { hasRecord, keepRecord, recordIn, type ExistingRecord } from './record.ts';
import { removeFromCluster } from './remove.ts';
import { lentByVm, planForVm, refuseUnfitVm } from './vm.ts';

/** What a lab is to be put on. */
interface Ground {
  given: ExistingSettings;
  context: Context;
  /** The context and its API server, for messages. */
  cluster: string;
  provider: ExistingProvider;
}

/** What was seen there and agreed to. */
interface Agreed {
  outlook: Outlook;
  /** That of the VM. */
  architecture: Architecture;
}

/**
 * Opens a lab on a cluster and a VM that somebody else made. Nothing of either is touched before they were looked at and
 * the plan was agreed to; what is touched is written down first, so that whoever ends the lab can give it back.
 *
 * @throws RefusedError that says why they are not fit, or what would be done while EXISTING_YES does not say yes
 */
export async function openExisting(
  asked: Settings,
  { recreate }: { recreate: boolean },
): Promise<{ lab: Lab; kept: boolean }> {
  const { name } = asked.lab;
  const ground = groundOf(asked);
  if (recreate) await closeLab(name);
  const stands = await standsOn(name, ground);
  const agreed = stands
    ? undefined
    : await step('Looking at the cluster and the VM', {}, async () => agreedTo(asked, ground));

  const patience = await learnPatience();
  const source = await istioSource(asked);
  say(`Istio ${asked.istioVersion} from ${source.is}: ${source.why}.`);
  const settings: Settings = { ...asked, lab: { ...asked.lab, artifactSource: source.is } };
  const architecture = agreed?.architecture ?? architectureOf(labDir(name));
  const programs = (await prepareClients(source, architecture)) as Programs;
  if (agreed) refuseProxy(agreed.outlook, programs.istioProxyBuild);
  const { lab: local, kept } = await openLab(settings);
  await writeAtomic(join(local.dir, 'programs.json'), JSON.stringify(programs, undefined, 2));
  if (agreed) await takeUp(local.dir, asked, ground, agreed);
  const folders = [programs.istio, programs.kubernetes];
  await writeAtomic(clientEnv(local), clientSettings(hostKubeconfig(local), folders));
  await keepPatience(patience, local.dir);
  await keepLab(local.dir, settings.lab.keep === 'always');
  await forgetFailures(local.dir, layerNames);
  say(`Lab ${local.name}: ${kept ? 'kept from an earlier run' : 'opened'} (${local.dir})`);
  const lab = labOf(settings, local, programs);
  await measured(local.dir, {
    provider: 'existing',
    distribution: 'existing',
    artifactSource: source.is,
    features: [...lab.features],
  });
  return { lab, kept };
}

/** Whether the lab stands already. @throws RefusedError when it was put on something else than the settings name */
async function standsOn(name: string, { given }: Ground): Promise<boolean> {
  const lab = await findLab(name);
  if (!lab) return false;
  if (!hasRecord(lab.dir)) {
    // a run that was cut off before it touched anything, or a lab of another provider, which openLab refuses
    if (!exists(join(lab.dir, 'nodes'))) await closeLab(name);
    return exists(join(lab.dir, 'nodes'));
  }
  const was = recordIn(lab.dir).settings;
  const changed = (['kubeconfig', 'context', 'vms', 'mesh', 'bystander'] as const).filter(
    (key) => JSON.stringify(was[key]) !== JSON.stringify(given[key]),
  );
  if (changed.length === 0) return true;
  throw new RefusedError(
    `The kept lab ${name} was put on something else (${changed.map((key) => `EXISTING_${key === 'vms' ? 'VM' : key.toUpperCase()}`).join(', ')}); remove it with \`npm run lab -- down\`, or give this run another LAB_NAME.`,
  );
}

/** That of the VM of a lab that stands. One that was not put on anything is refused when it is opened. */
const architectureOf = (dir: string): Architecture =>
  hasRecord(dir) ? recordIn(dir).architecture : ownArchitecture;

/** What the settings name. @throws RefusedError that says which is missing */
function groundOf({ lab, vmName }: Settings): Ground {
  const given = existingSettings();
  if (given.kubeconfig === undefined)
    throw new RefusedError('LAB_PROVIDER=existing takes a kubeconfig, which EXISTING_KUBECONFIG names.');
  if (given.vms.length !== 1) {
    throw new RefusedError(
      `LAB_PROVIDER=existing takes one VM, as EXISTING_VM=user@host; it names ${String(given.vms.length)}.`,
    );
  }
  const context = contextOf(given.kubeconfig, given.context);
  return {
    given,
    context,
    cluster: `${context.name} (${context.server})`,
    provider: existingProvider({ lab: ownerName(lab.name), settings: given, names: [vmName], join: true }),
  };
}

/** Looks at both, says what will be done, and goes on only when that was agreed to. */
async function agreedTo(settings: Settings, { given, context, cluster, provider }: Ground): Promise<Agreed> {
  await using folder = await temporary();
  const file = join(folder.path, 'kubeconfig');
  await writeAtomic(file, context.text, 0o600);
  const kube = kubeClient(file);
  const rights = [...neededRights, ...(given.mesh === 'use' ? [] : neededForMesh)];
  const look = await lookAtCluster(kube, context.server, async () => missingRights(kube.config, rights));
  const outlook: Outlook = { settings, owner: ownerName(settings.lab.name), cluster, mesh: given.mesh, look };
  refuseUnfit(outlook);
  try {
    await provider.look(settings.vmName);
    const architecture = await refuseUnfitVm(provider.machine(settings.vmName), packaged);
    const plan = [...planForCluster(outlook), ...provider.plan(), ...planForVm(settings.vmName)];
    if (given.yes) {
      for (const line of plan) say(`plan: ${line}`);
      return { outlook, architecture };
    }
    const lines = plan.map((line) => `\n  ${line}`).join('');
    throw new RefusedError(`This would be done:${lines}\nIf you agree, say so with EXISTING_YES=yes.`);
  } catch (error) {
    await provider.disconnect();
    throw error;
  }
}

/** Writes down what is about to be used, removes what an earlier run left, and borrows the VM. */
async function takeUp(
  dir: string,
  { lab, vmName, sizes }: Settings,
  { given, context, provider }: Ground,
  { outlook: { look }, architecture }: Agreed,
): Promise<void> {
  const record: ExistingRecord = {
    lab: lab.name,
    vmName,
    settings: given,
    architecture,
    before: look.mesh.filter(({ madeBy }) => madeBy !== ownerName(lab.name)).map(({ part }) => part),
  };
  await writeAtomic(hostKubeconfig({ dir }), context.text, 0o600);
  await keepRecord(dir, record);
  const program = [...ownProgram('lib/layers/existing/give-back-program.ts'), dir].map(quoted).join(' ');
  await writeAtomic(join(dir, 'on-end'), `#!/bin/sh\nexec ${program}\n`, 0o700);
  await step('What an earlier run left', { quiet: true }, async (note) => {
    await provider.remove(vmName);
    await removeFromCluster(kubeClient(hostKubeconfig({ dir })), lab.name, undefined, note);
  });
  await provider.launch({ name: vmName, size: sizes.vm });
  await provider.lend(vmName, lentByVm);
}
