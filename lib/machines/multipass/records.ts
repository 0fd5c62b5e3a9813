import { readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { exists, writeAtomic } from '#lib/base/files.ts';

/** What a lab has made, or was about to make: one file each, which outlives the process that wrote it. */
export interface Records {
  has(name: string): boolean;
  names(): string[];
  note(name: string): Promise<void>;
  forget(name: string): Promise<void>;
}

export function records(dir: string): Records {
  const file = (name: string): string => join(dir, name);
  return {
    has: (name) => exists(file(name)),
    names: () => (exists(dir) ? readdirSync(dir).toSorted() : []),
    note: async (name) => writeAtomic(file(name), `${new Date().toISOString()}\n`, 0o600),
    forget: async (name) => rm(file(name), { force: true }),
  };
}
