import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { blobId, blobsIn } from './git-blob.ts';

test('a blob has the id that git gives it', () => {
  expect(blobId('')).toBe('e69de29bb2d1d6434b8b29ae775ad8c2e48c5391');
  expect(blobId('hello\n')).toBe('ce013625030ba8dba906f756967f9e9ca394464a');
});

test('files are told by path, with the modes that git knows', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'blobs-test-'));
  await mkdir(join(folder, 'bin'));
  await writeFile(join(folder, 'bin/run'), 'hello\n');
  await chmod(join(folder, 'bin/run'), 0o755);
  await writeFile(join(folder, 'a'), '');

  expect(await blobsIn(folder)).toEqual([
    { mode: '100644', id: 'e69de29bb2d1d6434b8b29ae775ad8c2e48c5391', path: 'a' },
    { mode: '100755', id: 'ce013625030ba8dba906f756967f9e9ca394464a', path: 'bin/run' },
  ]);
  await rm(folder, { recursive: true });
});
