import type { Ref, Resource } from '#lib/kube/client.ts';
import { applying, change, type Change } from '#lib/kube/manifest.ts';
import { meshKnows } from './health.ts';
import type { Lab } from './lab.ts';
import { together, without } from './passing.ts';

/** The Service by which the mesh finds the VM. */
export const routeRef = ({ settings }: Lab): Ref => ({
  apiVersion: 'v1',
  kind: 'Service',
  namespace: settings.vmNamespace,
  name: settings.vmApp,
});

/** The Service that leads to the VM deleted; after the undo, which gives it its address again, the mesh finds the VM. */
export const routeDeleted = async (lab: Lab): Promise<Change> => whileCutOff(lab);

/** The Service that leads to the VM made anew without an address of its own, until the undo. */
export const routeHeadless = async (lab: Lab): Promise<Change> =>
  whileCutOff(lab, async () => {
    const headless = lab.manifest('04-traffic/route-to-vm.yaml').map((document): Resource => {
      return { ...document, spec: { ...document.spec, clusterIP: 'None' } };
    });
    return applying(lab.kube, headless, 'a headless Service');
  });

/** Deletes the Service, makes the changes, and waits until the mesh has seen it. */
async function whileCutOff(lab: Lab, ...makers: readonly (() => Promise<Change>)[]): Promise<Change> {
  return together(
    async () => Promise.resolve(change('the route to the VM', async () => meshKnows(lab, true))),
    async () => without(lab, routeRef(lab)),
    async () => {
      await meshKnows(lab, false);
      return change('seen by the mesh', async () => Promise.resolve());
    },
    ...makers,
  );
}
