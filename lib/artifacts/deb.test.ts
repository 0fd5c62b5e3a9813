import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run } from '#lib/base/command.ts';
import { temporary } from '#lib/base/temporary.ts';
import { debField, unpackDeb } from './deb.ts';

test.each(['none', 'gzip', 'xz'])('a package compressed by %s is read as dpkg-deb made it', async (how) => {
  await using folder = await temporary();
  const [tree, deb] = [join(folder.path, 'tree'), join(folder.path, 'one.deb')];
  await mkdir(join(tree, 'DEBIAN'), { recursive: true });
  await mkdir(join(tree, 'usr/bin'), { recursive: true });
  const fields = 'Package: one\nVersion: 1.2.3-4\nArchitecture: arm64\nMaintainer: x\nDescription: y\n';
  await writeFile(join(tree, 'DEBIAN/control'), fields);
  await writeFile(join(tree, 'usr/bin/odd'), 'odd');
  await run(['dpkg-deb', '--root-owner-group', `-Z${how}`, '--build', tree, deb]);

  expect(await debField(deb, 'Version', run)).toBe('1.2.3-4');
  expect(await debField(deb, 'Architecture', run)).toBe('arm64');
  await expect(debField(deb, 'Depends', run)).rejects.toThrow('with a field Depends');
  await unpackDeb(deb, 'data', join(folder.path, 'out'), run);
  expect(await readFile(join(folder.path, 'out/usr/bin/odd'), 'utf8')).toBe('odd');
});

test('a file that is no package is refused', async () => {
  await using folder = await temporary();
  const file = join(folder.path, 'page.deb');
  await writeFile(file, '<html>');
  await expect(debField(file, 'Version', run)).rejects.toThrow(`${file} is no Debian package.`);
});
