import { join } from 'node:path';
import type { Architecture } from '#lib/artifacts/architecture.ts';
import { exists, readJson, writeAtomic } from '#lib/base/files.ts';
import type { ExistingSettings } from '#lib/machines/existing/settings.ts';

/** What a lab on somebody else's cluster and machine must know to give them back, whatever came of the run. */
export interface ExistingRecord {
  lab: string;
  /** What the lab calls the VM. */
  vmName: string;
  settings: ExistingSettings;
  /** The architecture of the VM, by its own word. */
  architecture: Architecture;
  /** The parts of a mesh that were in the cluster before the lab, in words. */
  before: string[];
}

const fileIn = (dir: string): string => join(dir, 'existing.json');

/** Writes it down in the lab's folder, before anything is touched. */
export const keepRecord = async (dir: string, record: ExistingRecord): Promise<void> =>
  writeAtomic(fileIn(dir), JSON.stringify(record, undefined, 2), 0o600);

/** Whether the lab in this folder was put on somebody else's cluster and machine. */
export const hasRecord = (dir: string): boolean => exists(fileIn(dir));

/** @throws Error when the lab has none, so that nothing of it can be found */
export function recordIn(dir: string): ExistingRecord {
  const record = readJson<ExistingRecord>(fileIn(dir));
  if (record) return record;
  throw new Error(`${fileIn(dir)} is not there, which says what cluster and machine this lab was put on.`);
}
