import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { run } from '#lib/base/command.ts';
import { temporary } from '#lib/base/temporary.ts';
import { imageArchives, nameInside } from './image-archives.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

test('an archive gets the whole name of its image, and the rest of it stays', async () => {
  await using folder = await temporary();
  const [archive, from] = [join(folder.path, 'image.tar'), join(folder.path, 'from')];
  await mkdir(join(from, 'blobs/sha256'), { recursive: true });
  await writeFile(join(from, 'blobs/sha256/abc'), 'a blob');
  const tag = { 'org.opencontainers.image.ref.name': '1.27.9' };
  const manifests = [{ mediaType: 'any', digest: 'sha256:abc', size: 6, annotations: tag }];
  await writeFile(join(from, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests }));
  await run(['tar', '--create', '--file', archive, '--directory', from, '.']);

  await nameInside(archive, 'docker.io/istio/pilot:1.27.9', join(folder.path, 'scratch'), run);

  const file = async (path: string): Promise<string> =>
    (await run(['tar', '--extract', '--to-stdout', '--file', archive, path])).stdout;
  expect(JSON.parse(await file('./index.json'))).toEqual({
    schemaVersion: 2,
    manifests: [
      {
        ...manifests[0],
        annotations: { ...tag, 'io.containerd.image.name': 'docker.io/istio/pilot:1.27.9' },
      },
    ],
  });
  expect(await file('./blobs/sha256/abc')).toBe('a blob');
  expect((await readdir(folder.path)).sort()).toEqual(['from', 'image.tar']);
});

test('an image that was pulled is taken as it is', async () => {
  await using folder = await temporary();
  vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const pulled = join(folder.path, 'pulled.tar');
  await writeFile(pulled, 'as docker saved it');

  const archives = await imageArchives([{ name: 'docker.io/istio/pilot:1.27.9', archive: pulled }], {
    store: join(folder.path, 'artifacts'),
  });

  expect((await run(['cat', join(archives, '0.tar')])).stdout).toBe('as docker saved it');
});
