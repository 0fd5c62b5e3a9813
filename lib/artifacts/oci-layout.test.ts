import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { run } from '#lib/base/command.ts';
import { sha256File } from '#lib/base/files.ts';
import { writeLayout, type ImageIndex, type PlatformImage } from './oci-layout.ts';

test('an image of two architectures: an index, a manifest for each, and blobs named by their hashes', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'layout-test-'));
  const own = join(dir, 'program');
  await writeFile(own, 'content');
  const image = (architecture: PlatformImage['architecture']): PlatformImage => ({
    architecture,
    files: { '/usr/local/bin/program': own },
    entrypoint: ['/usr/local/bin/program'],
  });
  const [one, again] = [join(dir, 'one'), join(dir, 'again')];

  await writeLayout(one, [image('x64'), image('arm64')], run);
  await writeLayout(again, [image('x64'), image('arm64')], run);

  const json = async <T>(...path: string[]): Promise<T> =>
    JSON.parse(await readFile(join(one, ...path), 'utf8')) as T;
  const index = await json<ImageIndex>('index.json');
  expect(index.manifests.map(({ platform }) => platform)).toEqual([
    { architecture: 'amd64', os: 'linux' },
    { architecture: 'arm64', os: 'linux' },
  ]);
  const blob = (digest = ''): string[] => ['blobs', ...digest.split(':')];
  const manifest = await json<{ layers: { digest: string }[] }>(...blob(index.manifests[1]?.digest));
  const { stdout } = await run(['tar', '--list', '--file', join(one, ...blob(manifest.layers[0]?.digest))]);
  expect(stdout.trim().split('\n')).toContain('./usr/local/bin/program');
  for (const name of await readdir(join(one, 'blobs/sha256')))
    expect(await sha256File(join(one, 'blobs/sha256', name))).toBe(name);
  expect(await readFile(join(again, 'index.json'), 'utf8')).toBe(
    await readFile(join(one, 'index.json'), 'utf8'),
  );
  await rm(dir, { recursive: true });
});
