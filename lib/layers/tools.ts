import { readdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { missingPackages } from '#lib/artifacts/host-packages.ts';
import { temporary } from '#lib/base/temporary.ts';
import { change, type Change } from '#lib/kube/manifest.ts';
import type { Lab } from './lab.ts';
import { vmMadeHere } from './own-network.ts';

/** What a machine without some programs finds: a PATH that leads to all others. */
export async function toolsHidden(...names: string[]): Promise<Change & { path: string }> {
  const folder = await temporary();
  const hidden = change(`${names.join(', ')} hidden`, async () => folder[Symbol.asyncDispose]());
  const linked = new Set(names);
  for (const place of (process.env['PATH'] ?? '').split(':')) {
    for (const name of await readdir(place).catch(() => [])) {
      if (linked.has(name)) continue;
      linked.add(name);
      await symlink(join(place, name), join(folder.path, name));
    }
  }
  return { ...hidden, path: folder.path };
}

/** The Debian packages of which this machine lacks a program that the lab runs. */
export const missingTools = ({ settings }: Pick<Lab, 'settings'>): string[] =>
  missingPackages(vmMadeHere(settings));
