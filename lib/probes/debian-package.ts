import { basename } from 'node:path';
import { run } from '#lib/base/command.ts';
import { elfMachine } from './elf.ts';

/** What a Debian package says of itself, and what it holds. */
export interface PackageFacts {
  file: string;
  name: string;
  version: string;
  architecture: string;
  /** Each of its files, by path: which processor it is for, or that it is no program. */
  files: Record<string, string>;
}

/** Looks into a package on this host. @throws CommandError when it is none */
export async function packageFacts(path: string): Promise<PackageFacts> {
  const format = '${Package} ${Version} ${Architecture}';
  const { stdout } = await run(['dpkg-deb', '--show', `--showformat=${format}`, path]);
  const [name = '', version = '', architecture = ''] = stdout.split(' ');
  // the head of each file, in one reading
  const each = `printf "%s " "$TAR_FILENAME"; head -c 20 | base64 -w 0; echo; cat >/dev/null`;
  const script = 'dpkg-deb --fsys-tarfile "$1" | tar --extract --to-command="$2"';
  const heads = await run(['bash', '-o', 'pipefail', '-c', script, '-', path, each]);
  return { file: basename(path), name, version, architecture, files: machinesIn(heads.stdout) };
}

/** What lines of "<path> <the head of the file in base64>" tell. */
export const machinesIn = (heads: string): Record<string, string> =>
  Object.fromEntries(
    heads
      .trim()
      .split('\n')
      .map((line) => line.split(' '))
      .map(([path = '', head = '']) => [path.replace(/^\./, ''), elfMachine(Buffer.from(head, 'base64'))]),
  );
