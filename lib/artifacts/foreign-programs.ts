import { machineName, type Architecture } from './architecture.ts';

/** Where the kernel is told of formats, and where packages say what it is to be told. */
interface Places {
  kernel: string;
  formats: string;
}

const here: Places = { kernel: '/proc/sys/fs/binfmt_misc', formats: '/usr/lib/binfmt.d' };

/**
 * Words that run a command with the programs of another architecture run by QEMU (binfmt_misc). The kernel knows them
 * from then on, as it does on any Debian machine with these packages from the start of its service binfmt-support, or
 * from Debian 13 on systemd-binfmt; where no systemd starts that, we do. The mount by which the kernel is told is that
 * of the command's own namespace.
 */
export const withForeignPrograms = (
  architecture: Architecture,
  words: readonly string[],
  { kernel, formats }: Places = here,
): string[] => [...['sh', '-c', telling, `qemu-${machineName(architecture)}`, kernel, formats], ...words];

/** Debian 12 and Ubuntu tell by update-binfmts; Debian 13's packages have files for systemd, a line each. */
const telling = `
kernel=$1 format=$2/$0.conf
shift 2
if [ -e "$format" ]; then
  [ -e "$kernel/register" ] || mount -t binfmt_misc binfmt_misc "$kernel" || exit
  [ -e "$kernel/$0" ] || cat "$format" >"$kernel/register" || exit
else
  update-binfmts --enable "$0" || exit
fi
exec "$@"`;
