import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { RefusedError } from '#lib/base/errors.ts';
import { refuseWithoutRoom } from './disk.ts';

const dir = await mkdtemp(join(tmpdir(), 'disk-test-'));
afterAll(async () => rm(dir, { recursive: true }));

test('a disk without room is refused with what is needed and what there is', async () => {
  const petabyte = 1024 ** 3;

  await expect(refuseWithoutRoom('The lab', dir, petabyte)).rejects.toThrow(RefusedError);
  await expect(refuseWithoutRoom('The lab', dir, petabyte)).rejects.toThrow(
    /The disk is full: .*disk-test-.* has \d+ MiB free, and The lab takes 1073741824 MiB or more; make room/,
  );
});

test('a cache folder that cannot be made is refused by its path', async () => {
  await writeFile(join(dir, 'file'), '');

  await expect(refuseWithoutRoom('The lab', join(dir, 'file/cache'))).rejects.toThrow(
    /file\/cache cannot be made .*ENOTDIR.*point LAB_CACHE at a folder/,
  );
});
