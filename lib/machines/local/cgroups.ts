import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ours } from '#lib/base/deadlines.ts';
import { exists } from '#lib/base/files.ts';
import { until } from '#lib/base/until.ts';

/** Where control groups are mounted. */
const top = '/sys/fs/cgroup';

/** Whether this host has control groups of version 2 alone. */
export const isVersion2 = (): boolean => exists(join(top, 'cgroup.controllers'));

/** Whether this host has any: where it has none, nothing of a lab can be in one. */
export const hasGroups = (): boolean => exists(top);

/** The control group of a lab below each hierarchy, as its keeper wrote it down. */
export function labGroup({ name, dir }: Readonly<Record<'name' | 'dir', string>>): string {
  const file = join(dir, 'cgroup');
  return exists(file) ? readFileSync(file, 'utf8').trim() : `istio-vm-conformance/${name}`;
}

/**
 * Words that put the keeper of a lab, and with it the lab, into a scope of its own with all that systemd delegates, where
 * systemd owns the tree of control groups. Such a scope is gone when its last process is.
 * https://systemd.io/CGROUP_DELEGATION
 */
export const scopeOf = (name: string): string[] =>
  isVersion2() && exists('/run/systemd/system')
    ? [
        ...['systemd-run', '--scope', '--quiet', '--collect', '-p', 'Delegate=yes'],
        // the scope of the lab before may be on its way out
        ...[`--unit=istio-vm-conformance-${name}-${Date.now().toString(36)}`, '--'],
      ]
    : [];

/** Waits until systemd has removed the scope of a lab that has ended. */
export async function untilScopeEnded(group: string): Promise<void> {
  if (!group.endsWith('.scope')) return;
  await until(
    `systemd has removed ${group}`,
    async () => Promise.resolve(exists(join(top, group))),
    (there) => !there,
    { within: ours.labEnds, every: 20 },
  );
}
