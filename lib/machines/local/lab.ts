import { createHash } from 'node:crypto';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ownArchitecture, vmArchitecture } from '#lib/artifacts/architecture.ts';
import { attempt, run, spawnDetached } from '#lib/base/command.ts';
import { together } from '#lib/base/deadline.ts';
import { ours } from '#lib/base/deadlines.ts';
import { RefusedError } from '#lib/base/errors.ts';
import { exists, readJson, writeAtomic } from '#lib/base/files.ts';
import { withLock } from '#lib/base/lock.ts';
import { ownProgram } from '#lib/base/own-program.ts';
import { labDir, root } from '#lib/base/paths.ts';
import { endProcess, isAlive, processOf, thisProcess, type ProcessId } from '#lib/base/processes.ts';
import { defaultVmOs, type Settings } from '#lib/base/settings.ts';
import { until } from '#lib/base/until.ts';
import { endingInside, putInside } from '#lib/machines/put-inside.ts';
import { nodePlans, type Topology } from '#lib/machines/topology.ts';
import { hasGroups, labGroup, scopeOf, untilScopeEnded } from './cgroups.ts';
import { roomForWatchers } from './inotify.ts';

/** An open lab, as this host has it. */
export interface LocalLab {
  name: string;
  dir: string;
  /** The lab's first process, as the host knows it. */
  init: ProcessId;
  /** What its own network was made with. A lab without it has its machines elsewhere, in reach of this host. */
  addresses?: Topology;
}

interface Built {
  fingerprint: string;
  settings: Record<string, unknown>;
}

export const script = (name: string): string => join(root, 'lib/machines/local', name);

/**
 * Words that put a command into a lab: into its namespaces (network, processes, mounts). When its machines are
 * elsewhere there are none, and that is this host itself, where the command is known as one of the lab's.
 */
export const enterLab = ({ init, addresses, dir }: LocalLab): string[] =>
  addresses === undefined ? putInside(dir) : ['nsenter', '-t', String(init.pid), '-m', '-p', '-n', '--'];

/** A script for sh that ends all that was put into a lab: where it has namespaces they end it anyway. */
export const endingAll = ({ dir }: Pick<LocalLab, 'dir'>): string => endingInside(dir);

/** What a lab's own network was made with. @throws Error when it has none */
export function addressesOf({ name, addresses }: LocalLab): Topology {
  if (addresses) return addresses;
  throw new Error(`Lab ${name} has no network of its own on this host: its machines are elsewhere.`);
}

/**
 * Opens a lab: attaches to the one that stands, or makes its namespaces and arms the keeper that ends it with us.
 *
 * @param addresses what a network of its own is made with; without it none is made, nor any namespace
 * @throws RefusedError when another run uses the lab, or it was built from other settings
 */
export async function openLab(
  settings: Settings,
  addresses?: Topology,
): Promise<{ lab: LocalLab; kept: boolean }> {
  const { name } = settings.lab;
  const dir = labDir(name);
  return withLock(`${dir}.lock`, `lab ${name}`, async () => {
    if (exists(join(dir, 'ending'))) await close(name);
    const standing = await findLab(name);
    if (standing) {
      await refuseUnlessOurs(standing, built(settings, addresses));
      await own(dir);
      return { lab: standing, kept: true };
    }
    await endElsewhere(name, dir);
    await rm(dir, { recursive: true, force: true });
    await mkdir(dir, { recursive: true, mode: 0o700 });
    if (addresses !== undefined) await layNetwork(dir, addresses, settings);
    await writeAtomic(
      join(dir, 'built.json'),
      JSON.stringify(built(settings, addresses), undefined, 2),
      0o600,
    );
    await own(dir);
    if (addresses !== undefined) await roomForWatchers();
    const program =
      addresses === undefined
        ? ownProgram('lib/machines/local/keeper-elsewhere.ts')
        : [...scopeOf(name), 'bash', script('keeper.sh')];
    const keeper = await spawnDetached([...program, dir], { log: join(dir, 'keeper.log') });
    const lab = await until(
      `lab ${name} has its namespaces (log: ${join(dir, 'keeper.log')})`,
      async () => ({ lab: await findLab(name), keeper: processOf(keeper) !== undefined }),
      (seen) => seen.lab !== undefined || !seen.keeper,
      { within: ours.labOpens, every: 20 },
    );
    if (!lab.lab) {
      throw new Error(`The namespaces of lab ${name} could not be made: ${await log(dir)}`);
    }
    return { lab: lab.lab, kept: false };
  });
}

/** The lab of this name, if it stands and is not on its way out. */
export async function findLab(name: string): Promise<LocalLab | undefined> {
  return exists(join(labDir(name), 'ending')) ? undefined : labIn(name);
}

async function labIn(name: string): Promise<LocalLab | undefined> {
  const dir = labDir(name);
  const init = await processIn(join(dir, 'init'));
  if (!init || !isAlive(init)) return undefined;
  const addresses = readJson<Topology>(join(dir, 'network.json'));
  return { name, dir, init, ...(addresses && { addresses }) };
}

/** What the first process of the lab makes its network from. */
async function layNetwork(dir: string, addresses: Topology, settings: Settings): Promise<void> {
  const nodes = nodePlans(settings).map(
    ({ name, podNetwork }) => `${name} ${addresses.nodes[name] ?? ''} ${podNetwork}\n`,
  );
  await writeAtomic(join(dir, 'nodes'), nodes.join(''));
  await writeAtomic(join(dir, 'bridge'), `${addresses.bystander}\n`);
  await writeAtomic(join(dir, 'network.json'), JSON.stringify(addresses));
}

/** Whether the lab outlives the run that uses it. */
export async function keepLab(dir: string, keep: boolean): Promise<void> {
  if (keep) await writeAtomic(join(dir, 'keep'), '');
  else await rm(join(dir, 'keep'), { force: true });
}

/**
 * Ends a lab and waits until its processes, namespaces, control groups and files are gone. It may already be.
 *
 * @throws Error when something that it has elsewhere is left, with its folder, so that it can be tried again
 */
export async function closeLab(name: string): Promise<void> {
  await withLock(`${labDir(name)}.lock`, `lab ${name}`, async () => close(name));
}

async function close(name: string): Promise<void> {
  const dir = labDir(name);
  const group = labGroup({ name, dir });
  const keeper = await processIn(join(dir, 'keeper'));
  if (keeper && isAlive(keeper)) {
    endProcess(keeper.pid, 'SIGTERM');
    await until(
      `the keeper of lab ${name} has swept it`,
      async () => Promise.resolve(isAlive(keeper)),
      (alive) => !alive,
      {
        // what it has elsewhere may take longer to remove
        within: exists(join(dir, 'on-end')) ? together(ours.onEnd, ours.labEnds) : ours.labEnds,
        every: 50,
      },
    );
  }
  const left = await labIn(name);
  if (left) endProcess(left.init.pid);
  if (hasGroups()) await run(['bash', script('cgroups.sh'), 'remove', group]);
  await untilScopeEnded(group);
  await endElsewhere(name, dir);
  await rm(dir, { recursive: true, force: true });
}

/** Ends what a lab has elsewhere, when its keeper could not. @throws Error that says what is left */
async function endElsewhere(name: string, dir: string): Promise<void> {
  const program = join(dir, 'on-end');
  if (!exists(program)) return;
  const { code, stderr } = await attempt([program], { within: ours.onEnd });
  if (code === 0) return;
  throw new Error(
    `What lab ${name} has elsewhere could not be ended: ${stderr.trim().split('\n').at(-1) ?? ''} \`npm run lab -- down\` tries again.`,
  );
}

/** Takes over a lab that another process of ours brought up: it ends with us, also when we are killed. */
export async function adoptLab(dir: string): Promise<void> {
  await own(dir);
  await keepLab(dir, false);
}

/** Makes us the run that the lab lives for. */
async function own(dir: string): Promise<void> {
  const us = thisProcess();
  await writeAtomic(join(dir, 'owner'), `${String(us.pid)} ${us.started}\n`);
}

async function refuseUnlessOurs({ name, dir }: LocalLab, now: Built): Promise<void> {
  const owner = await processIn(join(dir, 'owner'));
  // the run that started us has the lab for us
  const ours = owner?.pid === process.pid || owner?.pid === process.ppid;
  if (owner && !ours && isAlive(owner)) {
    throw new RefusedError(
      `Lab ${name} is in use by the run with process id ${String(owner.pid)}; wait for it, or give this run another LAB_NAME.`,
    );
  }
  const was = readJson<Built>(join(dir, 'built.json'));
  if (was?.fingerprint === now.fingerprint) return;
  const names = new Set([...Object.keys(now.settings), ...Object.keys(was?.settings ?? {})]);
  const changed = [...names].filter(
    (key) => JSON.stringify(now.settings[key]) !== JSON.stringify(was?.settings[key]),
  );
  throw new RefusedError(
    `The kept lab ${name} was built from other settings (${changed.join(', ') || 'unknown'}); remove it with \`npm run lab -- down\`, or give this run another LAB_NAME.`,
  );
}

/**
 * What a lab is made of: of what is the harness's own, only where its programs came from, where its machines do when
 * that is not here, its Kubernetes when that is not upstream's, and what its VM is when that is not what this machine is.
 */
export function built({ lab, ...rest }: Settings, addresses?: Topology): Built {
  const backed = addresses === undefined ? {} : { backedBy: 'local' };
  const elsewhere = ['multipass', 'existing'].includes(lab.provider)
    ? { provider: lab.provider, ...backed }
    : {};
  const { distribution, k3sVersion } = lab;
  const other = distribution === 'k3s' ? { distribution, k3sVersion } : {};
  const vmArch = vmArchitecture({ lab });
  const foreign = vmArch === ownArchitecture ? {} : { vmArch };
  const os = lab.vmOs === defaultVmOs ? {} : { vmOs: lab.vmOs };
  const world = { ...rest, artifactSource: lab.artifactSource, ...elsewhere, ...other, ...foreign, ...os };
  return { fingerprint: createHash('sha256').update(JSON.stringify(world)).digest('hex'), settings: world };
}

async function processIn(file: string): Promise<ProcessId | undefined> {
  if (!exists(file)) return undefined;
  const [pid, started] = (await readFile(file, 'utf8')).trim().split(' ');
  return pid && started ? { pid: Number(pid), started } : undefined;
}

async function log(dir: string): Promise<string> {
  const file = join(dir, 'keeper.log');
  return exists(file) ? (await readFile(file, 'utf8')).trim().slice(-500) : 'the keeper said nothing';
}
