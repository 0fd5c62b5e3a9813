import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import { cacheDir } from '#lib/base/paths.ts';
import type { Resource } from '#lib/kube/client.ts';

/** Who made something in a cluster or on a machine that is somebody else's. */
export const harness = 'istio-vm-conformance';

const [manager, owner] = ['app.kubernetes.io/managed-by', 'istio-vm-conformance/lab'] as const;

/**
 * The lab as others must not take it for theirs: labs of two machines, or of two users, may have one name and meet in
 * one cluster.
 */
export function ownerName(lab: string): string {
  const file = '/etc/machine-id';
  const machine = existsSync(file) ? readFileSync(file, 'utf8').trim() : hostname();
  const place = [machine, String(userInfo().uid), cacheDir()].join('\n');
  return `${lab}.${createHash('sha256').update(place).digest('hex').slice(0, 8)}`;
}

/** The labels of what a lab has made. */
export const marksOf = (lab: string): Record<string, string> => ({
  [manager]: harness,
  [owner]: ownerName(lab),
});

/** The lab that made an object, as `ownerName` has it; undefined when no lab of this harness did. */
export function madeBy({ metadata }: Resource): string | undefined {
  const { labels = {} } = metadata ?? {};
  return labels[manager] === harness ? labels[owner] : undefined;
}

/** The selector of all objects that a lab has made. */
export const selectorOf = (lab: string): string =>
  Object.entries(marksOf(lab))
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
