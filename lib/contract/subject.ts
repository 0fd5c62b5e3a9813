import type { MachineProvider, MachineSpec } from '#lib/machines/provider.ts';

/** What the contract looks at: a provider, and which machines it is asked for. */
export interface Subject {
  provider: MachineProvider;
  /** Everything is looked at on each of these, one after the other. */
  machines: readonly ContractMachine[];
  /** Two that stand side by side. */
  two: readonly [ContractMachine, ContractMachine] | undefined;
  /** What this provider cannot do or be asked here, and why: these are not looked at, and told by name. */
  lacks: Partial<Record<Ability, string>>;
  /** Ends what was opened for the contract, with everything that a launch may have left. */
  close(): Promise<void>;
}

export interface ContractMachine {
  /** For titles: what kind of machine this is. */
  kind: string;
  spec: Omit<MachineSpec, 'firstBoot'>;
  /** The sizes that a machine of this kind has by itself: a node's disk is its host's. */
  measures: readonly ('cpus' | 'memoryMiB' | 'diskGiB')[];
}

/** What not every provider can do. */
export type Ability =
  /** A machine is there from its launch to its removal only. */
  | 'absence'
  | 'host names'
  | 'restart'
  /** Stopping, and starting again. */
  | 'power'
  | 'two machines'
  | 'being called off';
