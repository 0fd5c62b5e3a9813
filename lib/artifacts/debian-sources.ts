import { CommandError, run as runHere, type Run } from '#lib/base/command.ts';
import type { Settings } from '#lib/base/settings.ts';
import { ours } from '#lib/base/deadlines.ts';

/** A Debian that machines are made of, whatever the host is. */
export type DebianRelease = Exclude<Settings['lab']['vmOs'], 'none'>;

/** What Debian's archive calls each of them. */
const suites: Readonly<Record<DebianRelease, string>> = { 'debian-12': 'bookworm', 'debian-13': 'trixie' };

export const debianReleases = Object.keys(suites) as DebianRelease[];

/** What Debian's archives are signed with, as the package debian-archive-keyring has it on Debian and on Ubuntu. */
export const debianKeyring = '/usr/share/keyrings/debian-archive-keyring.gpg';

/** Debian's own archives, for a host whose package sources have none. */
const publicArchive = 'http://ftp.debian.org/debian';
const publicSecurity = 'http://security.debian.org/debian-security';

/** Where a Debian comes from. */
export interface DebianSources {
  /** The lines of a sources.list; the addresses in them are the host's business alone. */
  lines: string[];
  /** The suites and components, without addresses: another mirror of the same suites gives the same machine. */
  suites: string[];
  /** For whoever watches. */
  why: string;
}

/**
 * The package sources of a Debian release: at DEBIAN_MIRROR, or at the mirrors that this host itself uses for Debian, or
 * at Debian's own archives. What comes from there is verified with Debian's keyring.
 *
 * @param mirror `auto`, or the address of an archive, beside which there is one whose name ends in `-security`
 */
export async function debianSources(
  release: DebianRelease,
  mirror: string,
  run: Run = runHere,
): Promise<DebianSources> {
  const { archive, security, why } =
    mirror === 'auto'
      ? await mirrorsOfHost(run)
      : { archive: mirror, security: `${mirror}-security`, why: `DEBIAN_MIRROR=${mirror}` };
  const suite = suites[release];
  const found = [
    [archive, suite],
    [archive, `${suite}-updates`],
    ...(security === undefined ? [] : [[security, `${suite}-security`]]),
  ] as const;
  return {
    lines: found.map(
      ([address = '', name = '']) => `deb [signed-by=${debianKeyring}] ${address} ${name} main`,
    ),
    suites: found.map(([, name = '']) => `${name} main`),
    why,
  };
}

/**
 * What to do when a release could not be verified as this host's keyring is older than it.
 *
 * @param error what mmdebstrap failed with
 * @returns undefined when it failed for another reason
 */
export function keyMissing(error: unknown, release: DebianRelease): Error | undefined {
  const said = error instanceof CommandError ? error.output.stdout + error.output.stderr : '';
  // as gpgv and sqv, of which apt uses one, have it
  if (!/NO_PUBKEY|Missing key/.test(said) || !said.includes('is not signed')) return undefined;
  return new Error(
    `${debianKeyring} lacks the key that ${release} is signed with, so its packages cannot be verified. Upgrade the package debian-archive-keyring (Debian's own is newer than that of an old Ubuntu), or choose another VM_OS.`,
    { cause: error },
  );
}

interface Mirrors {
  archive: string;
  /** A host may have none. */
  security: string | undefined;
  why: string;
}

/** The addresses that apt of this host has Debian's packages from, whichever release of Debian that is. */
async function mirrorsOfHost(run: Run): Promise<Mirrors> {
  const ask = [
    ...['apt-get', 'indextargets', '--format', '$(REPO_URI) $(RELEASE)'],
    ...['Created-By: Packages', 'Origin: Debian'],
  ];
  const look = async (): Promise<string[]> =>
    (await run(ask)).stdout
      .split('\n')
      .map((line) => line.trim())
      .filter(Boolean);
  let found = await look();
  if (found.length === 0) {
    // what apt knows of its sources it learns with their lists
    await run(['apt-get', 'update'], { within: ours.packageLists });
    found = await look();
  }
  const sources = found.map((line) => line.split(' '));
  const addressOf = (fits: (release: string) => boolean): string | undefined =>
    sources.find(([, release = '']) => fits(release))?.[0]?.replace(/\/+$/, '');
  const isSecurity = (release: string): boolean => release.endsWith('-security');
  const isPlain = (release: string): boolean => !release.includes('-');
  const archive = addressOf(isPlain);
  if (archive === undefined)
    return {
      archive: publicArchive,
      security: publicSecurity,
      why: 'this host has no package source of Debian',
    };
  return { archive, security: addressOf(isSecurity), why: "at this host's own mirror of Debian" };
}
