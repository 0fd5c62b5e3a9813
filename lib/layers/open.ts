import { rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';

import { ownArchitecture, vmArchitecture } from '#lib/artifacts/architecture.ts';
import { istioArch } from '#lib/artifacts/istio-arch.ts';
import { kubernetesSource } from '#lib/artifacts/kubernetes-source.ts';
import { istioSource } from '#lib/artifacts/source.ts';
import { RefusedError } from '#lib/base/errors.ts';
import { exists, writeAtomic } from '#lib/base/files.ts';
import { labDir } from '#lib/base/paths.ts';
import { keepPatience } from '#lib/base/patience.ts';
import { say, step } from '#lib/base/progress.ts';
import { defaultVmOs, type Settings } from '#lib/base/settings.ts';
import { hostKubeconfig } from '#lib/distribution/kubeconfig.ts';
import { closeLab, endingAll, keepLab, openLab, type LocalLab } from '#lib/machines/local/lab.ts';
import { multipass } from '#lib/machines/multipass/cli.ts';
import { removingAll } from '#lib/machines/multipass/provider.ts';
import { madeRoom } from '#lib/machines/multipass/room.ts';
import { nodePlans } from '#lib/machines/topology.ts';
import { clientEnv, clientSettings } from './client-env.ts';
import { giveBackLab } from './existing/give-back.ts';
import { openExisting } from './existing/open.ts';
import { hasRecord } from './existing/record.ts';
import { makeFit } from './fit.ts';
import { forgetFailures } from './layer.ts';
import { layers } from './layers.ts';
import { labOf, measured, type Lab } from './lab.ts';
import { ownNetwork, refuseUpstream } from './own-network.ts';
import { learnPatience } from './patience.ts';
import { programs } from './programs.ts';

/**
 * Opens the lab that the settings name: preflight, artifacts, namespaces. No layer is brought up yet.
 *
 * @param recreate whether the lab that stands is ended first, once nothing is left that could refuse the new one
 * @throws RefusedError before anything is touched when the machine or the settings do not allow it
 */
export async function openLabFor(
  asked: Settings,
  { recreate = false } = {},
): Promise<{ lab: Lab; kept: boolean }> {
  istioArch();
  refuseElsewhere(asked);
  if (asked.lab.provider === 'existing') {
    await makeFit(asked);
    return openExisting(asked, { recreate });
  }
  await makeFit(asked);
  if (asked.lab.provider === 'multipass') await multipass().version();
  const addresses = ownNetwork(asked);
  const patience = await learnPatience();
  const source = await istioSource(asked);
  say(`Istio ${asked.istioVersion} from ${source.is}: ${source.why}.`);
  const kubernetes = await kubernetesSource(asked);
  say(`Kubernetes of ${kubernetes.is}: ${kubernetes.why}.`);
  if (!addresses) refuseUpstream(kubernetes);
  const settings: Settings = {
    ...asked,
    lab: { ...asked.lab, artifactSource: source.is, distribution: kubernetes.is },
  };
  const paths = await programs(settings, source, { ownVm: addresses !== undefined });
  if (recreate) await closeLab(settings.lab.name);
  const { lab: local, kept } = await openLab(settings, addresses);
  await writeAtomic(join(local.dir, 'programs.json'), JSON.stringify(paths, undefined, 2));
  await writeAtomic(clientEnv(local), clientSettings(hostKubeconfig(local), [paths.istio, paths.kubernetes]));
  if (settings.lab.provider === 'multipass')
    await writeAtomic(join(local.dir, 'on-end'), endOf(local), 0o700);
  await keepPatience(patience, local.dir);
  await keepLab(local.dir, settings.lab.keep === 'always');
  await forgetFailures(
    local.dir,
    layers.map(({ name }) => name),
  );
  const room = settings.lab.provider === 'multipass' && !addresses && madeRoom(nodePlans(settings));
  if (room) say(room);
  say(`Lab ${local.name}: ${kept ? 'kept from an earlier run' : 'opened'} (${local.dir})`);
  const lab = labOf(settings, local, paths);
  await measured(local.dir, {
    provider: settings.lab.provider === 'auto' ? 'local' : settings.lab.provider,
    distribution: lab.distribution.name,
    artifactSource: source.is,
    features: [...lab.features],
  });
  return { lab, kept };
}

/** A VM of another system or another architecture than this machine's is the local provider's to make. */
function refuseElsewhere(asked: Settings): void {
  const { provider, vmArch, vmOs } = asked.lab;
  if (['auto', 'local'].includes(provider)) return;
  if (vmOs !== defaultVmOs)
    throw new RefusedError(
      `VM_OS=${vmOs} is for the local provider; a lab of LAB_PROVIDER=${provider} has a VM of that provider.`,
    );
  if (vmArchitecture(asked) === ownArchitecture) return;
  throw new RefusedError(
    `VM_ARCH=${vmArch} is emulated by the local provider alone; LAB_PROVIDER=${provider} has machines of its own.`,
  );
}

/** What removes all that a lab has on instances, and on this host where no namespaces end it. */
const endOf = (lab: LocalLab): string =>
  ['#!/bin/sh', endingAll(lab), removingAll(lab.name, { backedHere: lab.addresses !== undefined })].join(
    '\n',
  );

/** Ends the lab, or leaves it when the settings (and what came of the run) say so. */
export async function leaveLab(settings: Settings, good: boolean): Promise<void> {
  const { keep, name } = settings.lab;
  if (keep === 'always' || (keep === 'on-failure' && !good)) {
    say(`Lab ${name} is kept; \`npm run lab -- down\` ends it.`);
    return;
  }
  await endLab(name);
  // what went ahead of the claims may have written once more
  process.once('exit', () => {
    rmSync(labDir(name), { recursive: true, force: true });
  });
}

/**
 * Ends a lab, and gives back what it was put on, in sight of whoever waits for that. It may already be gone.
 *
 * @throws Error that says what could not be given back
 */
export async function endLab(name: string): Promise<void> {
  const dir = labDir(name);
  const program = join(dir, 'on-end');
  if (hasRecord(dir) && exists(program)) {
    const title = 'Giving back the cluster and the VM';
    await step(title, { expectedMs: 60_000 }, async (note) => giveBackLab(dir, note));
    await rm(program, { force: true });
  }
  await closeLab(name);
}
