import { apps } from './apps.ts';
import { cluster } from './cluster.ts';
import { programsOf } from './cluster-programs.ts';
import { lack } from './features.ts';
import { gateway } from './gateway.ts';
import { istio } from './istio.ts';
import { attachLab, type Lab } from './lab.ts';
import { raise, type Layer, type LayerName } from './layer.ts';
import { machines } from './machines.ts';
import { policy } from './policy.ts';
import { workload } from './workload.ts';

/** All layers, in the order in which they stand on each other. */
export const layers: readonly Layer[] = [machines, cluster, istio, gateway, workload, apps, policy];

/** A layer and all that it stands on, lowest first. */
export function standingUnder(name: LayerName): Layer[] {
  const wanted = new Set<LayerName>();
  const want = (one: LayerName): void => {
    wanted.add(one);
    layers.find((layer) => layer.name === one)?.needs.forEach(want);
  };
  want(name);
  return layers.filter((layer) => wanted.has(layer.name));
}

/**
 * Brings a layer up with all that it stands on; layers that do not need each other go up side by side.
 *
 * @throws LackingError when the lab lacks what one of them requires; nothing is brought up then
 * @throws BlockedError that names the layer that failed
 */
export async function ensure(name: LayerName, lab?: Lab): Promise<Lab> {
  const attached = lab ?? (await attachLab());
  const wanted = standingUnder(name);
  for (const { requires } of wanted) {
    if (requires !== undefined && !attached.features.has(requires)) throw lack(requires);
  }
  const going = new Map<LayerName, Promise<void>>();
  for (const [index, layer] of wanted.entries()) {
    going.set(
      layer.name,
      (async () => {
        await Promise.all((layer.startsAfter ?? layer.needs).map(async (need) => going.get(need)));
        const raised = await raise(layer, attached, { i: index + 1, n: wanted.length });
        if (raised && layer === cluster) await Promise.all(wanted.map(async (one) => one.ahead?.(attached)));
      })(),
    );
  }
  const ended = await Promise.allSettled(going.values());
  const failed = ended.find((one) => one.status === 'rejected');
  if (failed) throw failed.reason;
  return attached;
}

/**
 * Goes ahead of the claims: brings up the layers that they will stand on while the first of them are looked at. Each
 * suite's set-up hook finds its layer standing, or waits for it; what fails here is told there.
 */
export function goAhead(lab: Lab, wanted: readonly string[]): void {
  const highest = layers.findLast(
    ({ name, requires }) => wanted.includes(name) && (requires === undefined || lab.features.has(requires)),
  );
  if (highest) ensure(highest.name, lab).catch(() => undefined);
}

/** The door of the claims: brings a layer up, gives the lab. */
export const door = {
  provision: async (name: LayerName): Promise<void> => {
    await ensure(name);
  },
  attach: async (): Promise<Lab> => attachLab(),
  programs: programsOf,
};
