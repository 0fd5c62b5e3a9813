import { madeRoom } from '#lib/machines/multipass/room.ts';
import { nodePlans } from '#lib/machines/topology.ts';
import type { Lab } from './lab.ts';

/** What the disks of a lab's nodes are, for the evidence: no claim is about them. */
export const disksOfNodes = ({ features, settings }: Pick<Lab, 'features' | 'settings'>): string =>
  features.has('own-network')
    ? 'that of the host: a node of the local provider has none of its own, so its size is not looked at'
    : (madeRoom(nodePlans(settings)) ?? 'what run.env says; its size is not looked at');
