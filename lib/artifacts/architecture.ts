/** An architecture as Node names it. */
export type Architecture = 'x64' | 'arm64';

/** That of this machine. */
export const ownArchitecture: Architecture = process.arch === 'arm64' ? 'arm64' : 'x64';

/** Its name in Go, in images and in Debian's packages. */
export const debianName = (architecture: Architecture): 'amd64' | 'arm64' =>
  architecture === 'arm64' ? 'arm64' : 'amd64';
