import { machineName, type Architecture } from './architecture.ts';

/**
 * Words that run a command with the programs of another architecture run by QEMU (binfmt_misc). The kernel knows them
 * from then on, as it does on any Debian machine with these packages from the start of its service binfmt-support; where
 * no systemd starts that, we do. The mount by which the kernel is told is that of the command's own namespace.
 */
export const withForeignPrograms = (architecture: Architecture, words: readonly string[]): string[] => [
  ...['sh', '-c', 'update-binfmts --enable "$0" && exec "$@"', `qemu-${machineName(architecture)}`],
  ...words,
];
