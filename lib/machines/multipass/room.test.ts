import { expect, test } from 'vitest';
import { nodePlans } from '#lib/machines/topology.ts';
import { madeRoom, withRoom } from './room.ts';

const sized = (master: number, worker: number) => {
  const size = (diskGiB: number) => ({ cpus: 2, memoryMiB: 1024, diskGiB });
  return nodePlans({ sizes: { master: size(master), worker: size(worker), vm: size(4) } });
};

test("a node of the article's size gets a disk that k3s fits on, and it is told which", () => {
  const plans = sized(4, 8);
  expect(plans.map((plan) => withRoom(plan).size.diskGiB)).toEqual([8, 10, 10]);
  expect(plans.map((plan) => withRoom(plan).size.memoryMiB)).toEqual([1024, 1024, 1024]);
  expect(madeRoom(plans)).toBe(
    'Disks of instances, as k3s and its images need more than run.env has: k3s-master 8 GiB instead of 4, k3s-worker-1 10 GiB instead of 8, k3s-worker-2 10 GiB instead of 8.',
  );
});

test('a bigger one is left as it is', () => {
  expect(sized(20, 30).map((plan) => withRoom(plan).size.diskGiB)).toEqual([20, 30, 30]);
  expect(madeRoom(sized(20, 30))).toBeUndefined();
});
