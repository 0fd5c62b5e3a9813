import { expect, test } from 'vitest';
import { judge } from './acceleration.ts';

test('a kernel that panicked for want of a root has booted', () => {
  const console = '[0.9] Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)\n';
  expect(judge(console, '', 0, 900)).toEqual({
    acceleration: 'kvm',
    why: 'A kernel boots under /dev/kvm in 900 ms: using it',
  });
});

test('a kernel that said nothing has not, however QEMU ended', () => {
  expect(judge('', '', 0, 10).acceleration).toBe('tcg');
});

test('what QEMU said is the reason', () => {
  const { acceleration, why } = judge('', 'qemu-system-x86_64: failed to initialize kvm\nmore', 1, 10);
  expect(acceleration).toBe('tcg');
  expect(why).toContain('exit status 1, qemu-system-x86_64: failed to initialize kvm');
});
