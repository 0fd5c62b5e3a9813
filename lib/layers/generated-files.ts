import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { writeAtomic } from '#lib/base/files.ts';
import { change, type Change } from '#lib/kube/manifest.ts';
import type { Lab } from './lab.ts';
import { configureWorkload, type WorkloadOptions } from './workload.ts';
import { orUndone } from './passing.ts';

/** Files that were generated once more, in a folder that the undo removes. */
export interface Generated extends Change {
  /** What istioctl said, on both streams. */
  said: string;
  read(name: string): Promise<string>;
}

/** The workload step with other switches. Its files go to a folder of their own; the VM does not get them. */
export async function generating(lab: Lab, name: string, options: WorkloadOptions): Promise<Generated> {
  const into = join(lab.dir, 'generated', name);
  const removing = change(`files generated for ${name}`, async () =>
    rm(into, { recursive: true, force: true }),
  );
  return orUndone(removing, async () => {
    const { stdout, stderr } = await configureWorkload(lab, { ...options, into });
    return { ...removing, said: stdout + stderr, read: async (file) => readFile(join(into, file), 'utf8') };
  });
}

/** The cluster.env that istioctl writes for the same group, but without ports. Nothing is applied. */
export async function clusterEnvWithoutPorts(lab: Lab): Promise<string> {
  const into = join(lab.dir, 'generated', 'without-ports');
  const group = lab.manifest('03-vm/workload-group.yaml').find(({ kind }) => kind === 'WorkloadGroup');
  const { ports: _ports, ...template } = (group?.spec?.['template'] ?? {}) as Record<string, unknown>;
  try {
    const file = join(into, 'group.yaml');
    await writeAtomic(file, stringify({ ...group, spec: { ...group?.spec, template } }));
    await lab.istioctl([
      ...['x', 'workload', 'entry', 'configure', '-f', file, '-o', into, '--autoregister'],
      ...['--clusterID', lab.settings.clusterName, '--revision', lab.settings.istioRevision],
      ...['--istioNamespace', lab.settings.istioNamespace],
    ]);
    return await readFile(join(into, 'cluster.env'), 'utf8');
  } finally {
    await rm(into, { recursive: true, force: true });
  }
}
