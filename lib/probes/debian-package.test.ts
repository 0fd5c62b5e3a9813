import { expect, test } from 'vitest';
import { machinesIn } from './debian-package.ts';

test('programs and other files are told apart by their heads', () => {
  const program = Buffer.alloc(20);
  program.write('\x7fELF\x02\x01', 'latin1');
  program.writeUInt16LE(0xb7, 18);
  const heads = `./usr/bin/run ${program.toString('base64')}\n./etc/empty \n./etc/text ${Buffer.from('twenty characters of it').toString('base64')}\n`;

  expect(machinesIn(heads)).toEqual({
    '/usr/bin/run': 'aarch64',
    '/etc/empty': 'no ELF file',
    '/etc/text': 'no ELF file',
  });
});
