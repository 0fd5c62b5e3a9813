import { join } from 'node:path';
import { writeAtomic } from '#lib/base/files.ts';
import type { Lab } from './lab.ts';

/** A folder with an istioctl that is not the lab's: one of another version, as a machine may have it. */
export async function istioctlElsewhere({ dir }: Pick<Lab, 'dir'>): Promise<string> {
  const folder = join(dir, 'elsewhere');
  await writeAtomic(join(folder, 'istioctl'), '#!/bin/sh\necho "client version: 1.0.0"\n', 0o755);
  return folder;
}
