import { getMany, type Many } from '#lib/probes/many.ts';
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
 * Many requests in both directions at the same time, some at once in each: how often which status came. A good one that
 * is not by the app that was asked for is told apart.
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
    vmToMesh: byApp(toMesh, /^Hello version: /),
    meshToVm: byApp(toVm, /<title>Directory listing for \//),
  };
}

function byApp({ statuses, lines }: Many, greeting: RegExp): Record<string, number> {
  const others = (statuses['200'] ?? 0) - lines.filter((line) => greeting.test(line)).length;
  return others === 0 ? statuses : { ...statuses, '200 by another than the app': others };
}
