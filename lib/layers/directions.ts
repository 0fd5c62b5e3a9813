import { getMany } from '#lib/probes/many.ts';
import { pod } from '#lib/probes/places.ts';
import type { Lab } from './lab.ts';

/** What the VM calls, and what pods call, as the documents do. */
export const helloworldUrl = 'http://helloworld.sample.svc:5000/hello';
export const externalAppUrl = ({ settings }: Pick<Lab, 'settings'>): string =>
  `http://${settings.vmApp}.${settings.vmNamespace}.svc:8000/`;

/** The names that Envoy has for the two services. */
export const helloworldCluster = 'outbound|5000||helloworld.sample.svc.cluster.local';
export const externalAppCluster = ({ settings }: Pick<Lab, 'settings'>): string =>
  `outbound|8000||${settings.vmApp}.${settings.vmNamespace}.svc.cluster.local`;

/**
 * Many requests in both directions at the same time, some at once in each: how often which status came.
 * Those to the VM have a query, so that its server's log tells them from health probes.
 */
export async function bothDirections(lab: Lab, count: number) {
  // python's server lets five connections wait; with more at once the health probe finds no place
  const some = { atOnce: 4 };
  const [toMesh, toVm] = await Promise.all([
    getMany(lab.vm, helloworldUrl, count, some),
    getMany(pod(lab, 'sample', 'curl', 'curl'), `${externalAppUrl(lab)}?at-once`, count, some),
  ]);
  return {
    vmToMesh: toMesh.statuses,
    meshToVm: toVm.statuses,
  };
}
