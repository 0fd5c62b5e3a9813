import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { messageOf, RefusedError } from '#lib/base/errors.ts';
import { settings as readSettings, variantName, type Settings } from '#lib/base/settings.ts';
import type { Catalogue } from '#lib/claims/catalogue.ts';
import type { Proof } from '#lib/claims/implemented.ts';
import { filesFor, select } from '#lib/claims/selection.ts';

export const usage = `npm run matrix -- <version>… [suites/…] [-t <pattern>] [--vm-os <system>,…] [--overlay [<version>=]<folder>]… [--at-once <n>]
  runs the suites once for each version of Istio, each in a lab of its own, and writes one report over all of them
  suites/… and -t     go to each run, as to \`npx vitest run\`
  --vm-os             each version with each of these as VM_OS, such as debian-12,debian-13
  --overlay           manifests that take the place of those under fixtures/, in one version or in all of them
  --at-once           how many run side by side; as many as the machine has room for unless told`;

/** The run of one version, of Istio and of the VM's system. */
export interface Planned {
  /** What it is called, as variantName has it. */
  version: string;
  settings: Settings;
  /** What it gets beside our own environment. */
  env: Record<string, string>;
  /** Its outputs, below the folder of the matrix. */
  folder: string;
}

export interface Plan {
  runs: Planned[];
  /** What goes to each run. */
  words: string[];
  /** The same, taken apart. */
  asked: { filters: string[]; pattern?: string };
  atOnce: number;
}

/** What the machine has to give. */
export interface Room {
  cores: number;
  memoryMiB: number;
}

/** What a lab needs, as README says. */
const labNeeds: Room = { cores: 2, memoryMiB: 8 * 1024 };

const version = /^(\d+\.\d+\.\d+|master)$/;

/**
 * What a command line of the matrix asks for.
 *
 * @param into the folder of the matrix
 * @throws RefusedError that names what makes no sense, before anything is touched
 */
export function plan(words: readonly string[], env: NodeJS.ProcessEnv, room: Room, into: string): Plan {
  const { values, positionals } = parsed(words);
  const listed = positionals.flatMap(inOneWord);
  const files = listed.filter((word) => /^(\.\/)?suites(\/|$)/.test(word));
  const versions = listed.filter((word) => !files.includes(word));
  for (const [place, one] of versions.entries()) {
    if (!version.test(one))
      throw new RefusedError(`${one} is no version such as 1.27.9, or master, nor a path under suites/.`);
    if (versions.indexOf(one) !== place) throw new RefusedError(`${one} is there twice.`);
  }
  if (versions.length === 0) throw new RefusedError(usage);
  const overlays = overlaysOf(values.overlay ?? [], versions);
  const systems = systemsOf(values['vm-os']);
  const runs = versions.flatMap((one) =>
    systems.map((vmOs) => planned(one, vmOs, { env, overlay: overlays.get(one), into })),
  );
  const pattern = values.testNamePattern;
  return {
    runs,
    asked: { filters: files, ...(pattern === undefined ? {} : { pattern }) },
    words: [...files, ...(pattern === undefined ? [] : ['-t', pattern])],
    atOnce: Math.min(atOnceOf(values['at-once']) ?? roomFor(room), runs.length),
  };
}

/** A list in one word, as a setting has it. */
const inOneWord = (word: string): string[] => word.split(/[\s,]+/).filter(Boolean);

/** What VM_OS is in turn; what the environment says (undefined) unless told. */
function systemsOf(asked: readonly string[] | undefined): (string | undefined)[] {
  if (asked === undefined) return [undefined];
  const systems = asked.flatMap(inOneWord);
  for (const [place, one] of systems.entries())
    if (systems.indexOf(one) !== place) throw new RefusedError(`--vm-os has ${one} twice.`);
  if (systems.length === 0) throw new RefusedError('--vm-os names no system.');
  return systems;
}

function planned(
  istio: string,
  vmOs: string | undefined,
  { env, overlay, into }: { env: NodeJS.ProcessEnv; overlay: string | undefined; into: string },
): Planned {
  const asked = { ISTIO_VERSION: istio, ...(vmOs === undefined ? {} : { VM_OS: vmOs }) };
  const { lab } = readSettings({ ...env, ...asked });
  const version = variantName(istio, lab.vmOs);
  const own = {
    ...asked,
    // a lab's name is short
    LAB_NAME: `${lab.name}-${version.replace('-debian-', '-d').replaceAll('.', '-')}`,
    LAB_REPORTS: join(into, version),
    ...(overlay === undefined ? {} : { FIXTURES_OVERLAY: overlay }),
  };
  return { version, settings: readSettings({ ...env, ...own }), env: own, folder: version };
}

/** How many labs the machine has room for; one is tried in any case. */
export function roomFor({ cores, memoryMiB }: Room): number {
  return Math.max(1, Math.floor(Math.min(cores / labNeeds.cores, memoryMiB / labNeeds.memoryMiB)));
}

/**
 * Whether there is anything that was asked for, which each run would find out for itself.
 *
 * @throws RefusedError that names what is near to a claim or a file that does not exist
 */
export function refuseUnknown(
  { asked: { filters, pattern } }: Plan,
  known: Catalogue,
  proofs: readonly Proof[],
): void {
  const files = proofs.map(({ file }) => file);
  if (pattern === undefined) {
    select({ filters, files }, known, proofs);
    return;
  }
  const test = fitting(pattern, known);
  select(
    {
      filters,
      files: filesFor({ written: pattern, test }, known, proofs),
      pattern: { written: pattern, test },
    },
    known,
    proofs,
  );
}

function fitting(pattern: string, known: Catalogue): (id: string) => boolean {
  if (known.has(pattern)) return (id) => id === pattern;
  try {
    const expression = new RegExp(pattern);
    return (id) => expression.test(id);
  } catch (error) {
    throw new RefusedError(`-t ${pattern} is no pattern: ${messageOf(error)}.`);
  }
}

function parsed(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        testNamePattern: { type: 'string', short: 't' },
        'vm-os': { type: 'string', multiple: true },
        overlay: { type: 'string', multiple: true },
        'at-once': { type: 'string' },
      },
    });
  } catch (error) {
    throw new RefusedError(`${messageOf(error)}\n${usage}`);
  }
}

/** The overlay of each version; one for a version alone goes before one for all. */
function overlaysOf(asked: readonly string[], versions: readonly string[]): Map<string, string> {
  const all = new Map<string, string>();
  const single = new Map<string, string>();
  for (const word of asked) {
    const [, one, folder = word] = /^(\d+\.\d+\.\d+|master)=(.*)$/.exec(word) ?? [];
    if (one !== undefined && !versions.includes(one))
      throw new RefusedError(`--overlay ${word} is for a version that is not asked for.`);
    for (const named of one === undefined ? versions : [one]) {
      const into = one === undefined ? all : single;
      if (into.has(named)) throw new RefusedError(`${named} has two overlays; it can have one.`);
      into.set(named, folder);
    }
  }
  return new Map([...all, ...single]);
}

function atOnceOf(asked: string | undefined): number | undefined {
  if (asked === undefined) return undefined;
  if (!/^[1-9]\d?$/.test(asked))
    throw new RefusedError(`--at-once must be a whole number from 1, got "${asked}".`);
  return Number(asked);
}
