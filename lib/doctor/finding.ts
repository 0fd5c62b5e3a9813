import type { Architecture } from '#lib/artifacts/architecture.ts';
import type { Settings } from '#lib/base/settings.ts';
import type { Host } from './host.ts';

/** What a run that is about to start needs of this host. */
export interface Asked {
  settings: Settings;
  /** Whether the machines of the lab, and so namespaces and control groups, are made on this host. */
  machinesHere: boolean;
  /** The architecture of the VM, where it is made on this host. */
  vm: Architecture | undefined;
  /** Whether that lab is running already: then what it takes is not to be found free once more. */
  stands: boolean;
}

/**
 * What was found about one thing:
 * - `good`: as wanted.
 * - `note`: a run works with it, but whoever reads about a run may want to know.
 * - `unknown`: it could not be looked at, and `found` says why. What stands in the way is a finding of its own.
 * - `lacking`: a run would fail, so it is refused.
 */
export interface Finding {
  what: string;
  state: 'good' | 'note' | 'unknown' | 'lacking';
  found: string;
  wanted?: string;
  /** The command, or where there is none the step, that mends it. */
  mend?: string;
}

/** One thing to look at. */
export interface Check {
  what: string;
  /** Whether such a run needs it at all; always, unless told. */
  when?: (asked: Asked) => boolean;
  /** The programs that it takes to look. */
  takes?: readonly string[];
  /** Whether it takes root to look. */
  root?: boolean;
  /** One finding when all is well; one for each thing that is lacking otherwise. Nothing of the host is changed. */
  look: (host: Host, asked: Asked) => Promise<Finding[]>;
}

/** What a program said first, for a finding. */
export const firstLine = (said: string): string => said.trim().split('\n')[0] ?? '';

/** A finding in words: what, found, wanted, and the command that mends it. */
export const inWords = ({ what, found, wanted, mend }: Finding): string =>
  `${what}: ${found}${wanted === undefined ? '' : `; wanted: ${wanted}`}${mend === undefined ? '' : `; mend: ${mend}`}`;

/** All findings, a line each; a word in front says of each whether a run can go on with it. */
export const report = (findings: readonly Finding[]): string =>
  findings
    .map((one) => `${(one.state === 'lacking' ? 'LACKING' : one.state).padEnd(9)}${inWords(one)}\n`)
    .join('');
