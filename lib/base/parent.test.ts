import { expect, test } from 'vitest';
import { npmAbove } from './parent.ts';

const processes: Record<number, { parent: number; command: string }> = {
  10: { parent: 9, command: 'node vitest run' },
  9: { parent: 8, command: 'sh -c vitest run' },
  8: { parent: 5, command: 'npm exec vitest run' },
  5: { parent: 1, command: 'bash' },
  20: { parent: 5, command: 'node vitest run' },
};
const look = (pid: number) => {
  const seen = processes[pid];
  return seen && { ...seen, id: { pid, started: '1' } };
};

test('finds the shell and the npm that started a process', () => {
  expect(npmAbove(10, look).map(({ pid }) => pid)).toEqual([9, 8]);
});

test('watches nobody where there is no npm', () => {
  expect(npmAbove(20, look)).toEqual([]);
});
