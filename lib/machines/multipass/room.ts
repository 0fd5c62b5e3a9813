import type { NodePlan } from '#lib/machines/topology.ts';

/**
 * The smallest disk in GiB on which an instance of Ubuntu 24.04 holds k3s. The system takes about 3 GiB (1.9 of its
 * root, 1 of partitions for its boot); k3s with its own images, and the lab's images, lie there as archives and once
 * more unpacked; and a worker has the volumes and logs of pods. With less the kubelet evicts pods or nothing fits.
 */
const least: Readonly<Record<NodePlan['role'], number>> = { 'control-plane': 8, worker: 10 };

/** A node as an instance of multipass: with a disk that k3s fits on, also where run.env has the article's. */
export const withRoom = (plan: NodePlan): NodePlan => ({
  ...plan,
  size: { ...plan.size, diskGiB: Math.max(plan.size.diskGiB, least[plan.role]) },
});

/** Which nodes have another disk than run.env says, for the console and the evidence; undefined when none has. */
export function madeRoom(plans: readonly NodePlan[]): string | undefined {
  const others = plans.flatMap((plan) => {
    const { diskGiB } = withRoom(plan).size;
    return diskGiB === plan.size.diskGiB
      ? []
      : [`${plan.name} ${String(diskGiB)} GiB instead of ${String(plan.size.diskGiB)}`];
  });
  return others.length === 0
    ? undefined
    : `Disks of instances, as k3s and its images need more than run.env has: ${others.join(', ')}.`;
}
