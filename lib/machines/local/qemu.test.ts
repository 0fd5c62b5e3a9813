import { expect, test } from 'vitest';
import { qemuWords, type QemuPlan } from './qemu.ts';

const machine = { name: 'vm', cpus: 2, memoryMiB: 1024, architecture: 'x64', acceleration: 'tcg' } as const;
const saved: QemuPlan = { ...machine, memory: 'saved', incoming: false };
const resumed: QemuPlan = { ...machine, memory: 'copy', incoming: true };

/** All but what is known to differ. */
const devices = (plan: QemuPlan): string[] =>
  qemuWords(plan).filter(
    (word) => !word.startsWith('memory-backend') && word !== '-incoming' && word !== 'defer',
  );

test('a resumed machine has the devices of the frozen one, in the same order', () => {
  expect(devices(resumed)).toEqual(devices(saved));
  expect(devices({ ...machine, memory: 'own', incoming: false })).toEqual(devices(saved));
});

test('only what is frozen writes to the memory file', () => {
  expect(qemuWords(saved)).toContain('memory-backend-file,id=memory,size=1024M,mem-path=memory,share=on');
  expect(qemuWords(resumed)).toContain('memory-backend-file,id=memory,size=1024M,mem-path=memory,share=off');
});

test('the root is the first disk', () => {
  const disks = qemuWords(saved).filter((word) => word.startsWith('virtio-blk-pci'));
  expect(disks).toEqual(['virtio-blk-pci,drive=root', 'virtio-blk-pci,drive=drop']);
});

test('the acceleration is the one that was asked for', () => {
  expect(qemuWords({ ...saved, acceleration: 'kvm' }).join(' ')).toContain('-accel kvm -cpu max');
  expect(qemuWords(saved).join(' ')).toContain('-accel tcg,thread=multi,tb-size=1024 -cpu max');
});

test('a machine of arm64 has the same devices on another board, with a console of its own', () => {
  const arm64 = qemuWords({ ...saved, architecture: 'arm64' });
  const differs = qemuWords(saved).flatMap((word, i) => (word === arm64[i] ? [] : [arm64[i]]));

  expect(arm64).toHaveLength(qemuWords(saved).length);
  expect(differs).toEqual([
    'qemu-system-aarch64',
    'virt,memory-backend=memory',
    'cortex-a72',
    expect.stringMatching(/^console=ttyAMA0 /),
  ]);
});
