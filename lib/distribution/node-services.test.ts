import { expect, test } from 'vitest';
import { reserved } from './node-services.ts';

const size = { cpus: 2, memoryMiB: 8192, diskGiB: 10 };
const told = (cpus: number, memoryKiB: number): string =>
  [
    ...Array.from({ length: cpus }, (_, i) => `processor\t: ${String(i)}\nmodel name\t: any\n`),
    `MemTotal:       ${String(memoryKiB)} kB`,
    'MemFree:          102400 kB',
    '',
  ].join('\n');

test('a node that sees its host is left with what it was given', () => {
  expect(reserved({ size, role: 'worker' }, told(8, 64 * 1024 * 1024))).toEqual({
    cpu: '6',
    memory: `${String(56 * 1024 + 128)}Mi`,
  });
});

test('a machine of its own, whose kernel keeps some memory back, reserves no more than its own programs take', () => {
  const machine = told(2, 8_130_000);
  expect(reserved({ size, role: 'worker' }, machine)).toEqual({ cpu: '0', memory: '128Mi' });
  expect(reserved({ size, role: 'control-plane' }, machine)).toEqual({ cpu: '0', memory: '640Mi' });
});

test('a node that does not tell is not guessed at', () => {
  expect(() => reserved({ size, role: 'worker' }, 'processor\t: 0\n')).toThrow('tells no MemTotal');
});
