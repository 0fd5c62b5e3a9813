import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Run } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { RefusedError } from '#lib/base/errors.ts';
import { temporary } from '#lib/base/temporary.ts';

/** A file in an archive of ar: where its bytes are. */
interface Member {
  name: string;
  start: number;
  size: number;
}

/*
 * A Debian package is read without dpkg-deb, which only Debian has: it is an archive of ar with an archive of tar for
 * its description and one for its files (deb(5)), which the tar of any system unpacks.
 */

/**
 * A field of a package, such as Version.
 *
 * @throws RefusedError when the file is no package, or has no such field
 */
export async function debField(file: string, name: string, run: Run): Promise<string> {
  await using folder = await temporary();
  await unpackDeb(file, 'control', folder.path, run);
  const text = await readFile(join(folder.path, 'control'), 'utf8');
  const [, value] = new RegExp(`^${name}: *(.*)$`, 'm').exec(text) ?? [];
  if (value !== undefined) return value.trim();
  throw new RefusedError(`${file} is no Debian package with a field ${name}.`);
}

/**
 * Unpacks the files of a package, or its description and scripts, into a folder, which is made.
 *
 * @throws RefusedError when the file is no package
 */
export async function unpackDeb(
  file: string,
  part: 'control' | 'data',
  dir: string,
  run: Run,
): Promise<void> {
  await mkdir(dir, { recursive: true });
  const archive = join(dir, `.${part}.tar`);
  await using deb = await open(file);
  const found = (await members(deb, file)).find(({ name }) => name.split('.')[0] === part);
  if (!found) throw new RefusedError(`${file} is no Debian package: it has no ${part}.tar.`);
  const { buffer } = await deb.read(Buffer.alloc(found.size), 0, found.size, found.start);
  await writeFile(archive, buffer);
  await run(['tar', '-xf', archive, '-C', dir], { within: ours.packing });
  await rm(archive);
}

async function members(deb: Awaited<ReturnType<typeof open>>, file: string): Promise<Member[]> {
  const text = async (at: number, length: number): Promise<string> => {
    const { buffer, bytesRead } = await deb.read(Buffer.alloc(length), 0, length, at);
    return buffer.subarray(0, bytesRead).toString('latin1');
  };
  if ((await text(0, 8)) !== '!<arch>\n') throw new RefusedError(`${file} is no Debian package.`);
  const found: Member[] = [];
  for (let at = 8; ;) {
    const header = await text(at, 60);
    if (header.length < 60) return found;
    const size = Number(header.slice(48, 58));
    found.push({ name: header.slice(0, 16).trim().replace(/\/$/, ''), start: at + 60, size });
    // each begins at an even place
    at += 60 + size + (size % 2);
  }
}
