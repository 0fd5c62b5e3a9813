import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { cacheDir } from '#lib/base/paths.ts';
import { temporary } from '#lib/base/temporary.ts';
import type { Machine } from './machine.ts';

/** Packs a folder of the host, with owners, modes, links and devices, to be brought into machines. It is gone at the end of an `await using` block. */
export async function packed(folder: string): Promise<AsyncDisposable & { path: string; bytes: number }> {
  // an image store is too big for a /tmp in memory
  const place = await temporary(join(cacheDir(), 'scratch'));
  const path = join(place.path, 'packed.tar');
  await run(['tar', '--create', '--numeric-owner', '--xattrs', '--file', path, '--directory', folder, '.'], {
    within: ours.packing,
  });
  return { ...place, path, bytes: (await stat(path)).size };
}

/** Unpacks into a folder of a machine what was packed. */
export async function bring(machine: Machine, archive: string, folder: string): Promise<void> {
  const there = '/var/tmp/conformance-brought.tar';
  await machine.upload(archive, there, { mode: 0o600 });
  const script =
    'mkdir -p "$2" && tar --extract --numeric-owner --xattrs --file "$1" --directory "$2"; code=$?; rm -f "$1"; exit $code';
  await machine.run(['sh', '-c', script, '-', there, folder], { within: ours.imageStep });
}
