import { open } from 'node:fs/promises';

/** Numbers of ELF's e_machine. */
const machines: Readonly<Record<number, string>> = { 0x3e: 'x86-64', 0xb7: 'aarch64' };

/** Which processor a program is for, from the head of its file: x86-64, aarch64, or what it is instead. */
export function elfMachine(head: Uint8Array): string {
  const bytes = Buffer.from(head);
  if (bytes.length < 20 || bytes.toString('latin1', 0, 4) !== '\x7fELF') return 'no ELF file';
  const machine = bytes[5] === 2 ? bytes.readUInt16BE(18) : bytes.readUInt16LE(18);
  return machines[machine] ?? `ELF machine ${String(machine)}`;
}

/** The same of a file on this host. */
export async function elfMachineOf(path: string): Promise<string> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(20), 0, 20, 0);
    return elfMachine(buffer.subarray(0, bytesRead));
  } finally {
    await file.close();
  }
}
