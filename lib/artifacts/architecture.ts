import { RefusedError } from '#lib/base/errors.ts';
import type { Settings } from '#lib/base/settings.ts';

/** An architecture as Node names it. */
export type Architecture = 'x64' | 'arm64';

/** That of this machine. */
export const ownArchitecture: Architecture = process.arch === 'arm64' ? 'arm64' : 'x64';

/** Its name in Go, in images and in Debian's packages. */
export const debianName = (architecture: Architecture): 'amd64' | 'arm64' =>
  architecture === 'arm64' ? 'arm64' : 'amd64';

/** Its name in the kernel (`uname -m`), in QEMU and in wheels. */
export const machineName = (architecture: Architecture): 'x86_64' | 'aarch64' =>
  architecture === 'arm64' ? 'aarch64' : 'x86_64';

/**
 * The architecture of the external VM, as VM_ARCH has it; the nodes have this machine's.
 *
 * @throws RefusedError for one that the sidecar is not prepared for
 */
export function vmArchitecture(
  { lab: { vmArch } }: { lab: Pick<Settings['lab'], 'vmArch'> },
  own = ownArchitecture,
): Architecture {
  const asked = { auto: own, amd64: 'x64', arm64: 'arm64' } as const;
  const architecture = asked[vmArch];
  // the sidecar is there for this machine and for arm64 (mesh.ts)
  if (architecture === own || architecture === 'arm64') return architecture;
  throw new RefusedError(
    `VM_ARCH=${vmArch} gives a VM of another architecture than this machine's (${debianName(own)}), and that can only be arm64; leave VM_ARCH out, or run it on a machine of that architecture.`,
  );
}
