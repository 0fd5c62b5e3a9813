import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { thisHost } from '#lib/artifacts/host-packages.ts';
import { run } from '#lib/base/command.ts';

/** Programs that macOS has as Linux has them, as far as they are used here. What it lacks is not named. */
const same = [
  ...[
    'awk',
    'basename',
    'bash',
    'cat',
    'chmod',
    'cut',
    'dirname',
    'echo',
    'env',
    'false',
    'id',
    'kill',
    'perl',
  ],
  ...['printf', 'rmdir', 'sh', 'sleep', 'tail', 'test', 'tr', 'true', 'uname', 'wc'],
];

/** Programs of which macOS has others -> a pattern of the words that its own refuse, as its manual has them. */
const others: Readonly<Record<string, string>> = {
  base64: '-w*|--*',
  cp: '--*|-*T*',
  date: '-d|--*|*%N*',
  df: '-B*|--*',
  grep: '-*P*|-*z*|--*',
  head: '--*',
  ln: '--*|-*T*',
  ls: '--?*',
  mkdir: '--*',
  mktemp: '-p|--*',
  mv: '--*|-*T*',
  ps: '-e|-f|-ef|aux|--*|*,*',
  readlink: '-*f*|-*e*|--*',
  rm: '--*',
  sed: '-r|-i|--*',
  sort: '-V|--*',
  stat: '-c*|--*',
  tar: '--owner*|--group*|--numeric-owner|--xattrs|--sort*|--mtime*|--mode*|--to-command*|--no-overwrite-dir',
  touch: '--*|-d',
  xargs: '--*|-d',
};

/**
 * Makes a folder for PATH as macOS would have it: what it lacks is not there (setsid, nsenter, setpriv, unshare, socat,
 * ip, flock, timeout, dpkg-deb), and what its own programs do not know is refused. It is no macOS: what its programs do
 * otherwise with the same words is not seen.
 *
 * @param own more programs for it, by name: the text of a script for sh
 */
export async function pathUnlikeLinux(
  folder: string,
  own: Readonly<Record<string, string>> = {},
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const { has } = thisHost();
  const whole = async (name: string): Promise<string> => (await run(['which', name])).stdout.trim();
  const script = async (name: string, text: string): Promise<void> => {
    await writeFile(join(folder, name), `#!/bin/sh\n${text}\n`);
    await chmod(join(folder, name), 0o755);
  };
  for (const name of same) if (has(name)) await symlink(await whole(name), join(folder, name));
  for (const [name, refused] of Object.entries(others)) {
    if (!has(name)) continue;
    const refusing = `case "$word" in ${refused}) echo "${name}: illegal option -- $word" >&2; exit 64 ;; esac`;
    await script(name, `for word; do ${refusing}; done\nexec ${await whole(name)} "$@"`);
  }
  for (const [name, text] of Object.entries(own)) await script(name, text);
}
