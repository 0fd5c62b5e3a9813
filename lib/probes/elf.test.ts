import { expect, test } from 'vitest';
import { elfMachine, elfMachineOf } from './elf.ts';

const head = (machine: number): Buffer => {
  const bytes = Buffer.alloc(20);
  bytes.write('\x7fELF\x02\x01', 'latin1');
  bytes.writeUInt16LE(machine, 18);
  return bytes;
};

test('the head of a program tells the processor', async () => {
  expect(elfMachine(head(0x3e))).toBe('x86-64');
  expect(elfMachine(head(0xb7))).toBe('aarch64');
  expect(elfMachine(head(0xf3))).toBe('ELF machine 243');
  expect(await elfMachineOf(process.execPath)).toBe(process.arch === 'arm64' ? 'aarch64' : 'x86-64');
});

test('what is no program is said to be none', () => {
  expect(elfMachine(Buffer.alloc(0))).toBe('no ELF file');
  expect(elfMachine(Buffer.from('#!/bin/sh and more than twenty'))).toBe('no ELF file');
});
