import { readdirSync, statSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { RefusedError } from './errors.ts';
import { exists } from './files.ts';
import { fixture, root } from './paths.ts';

/** Manifests that take the place of those under fixtures/. */
export interface Overlay {
  folder: string;
  /** By their path below the folder, which is that below fixtures/, in order. */
  files: string[];
}

const manifests = /^\d\d-[a-z]+\/[^/]+\.yaml$/;

/**
 * The folder that FIXTURES_OVERLAY names (a path from the checkout, or an absolute one), or undefined when it names none.
 * Each of its files takes the place of the manifest of the same path under fixtures/, such as `05-policy/strict.yaml`.
 *
 * @throws RefusedError when there is no such folder, or a file of it takes no manifest's place
 */
export function overlay(env: NodeJS.ProcessEnv = process.env): Overlay | undefined {
  const asked = env['FIXTURES_OVERLAY'];
  if (!asked) return undefined;
  const folder = resolve(root, asked);
  if (!exists(folder) || !statSync(folder).isDirectory())
    throw new RefusedError(`FIXTURES_OVERLAY=${asked} is no folder.`);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)).replaceAll(sep, '/'))
    .sort();
  if (files.length === 0) throw new RefusedError(`FIXTURES_OVERLAY=${asked} has no file.`);
  for (const file of files) {
    if (!manifests.test(file) || !exists(fixture(file)))
      throw new RefusedError(
        `FIXTURES_OVERLAY=${asked} has ${file}, but there is no manifest fixtures/${file} that it could take the place of.`,
      );
  }
  return { folder, files };
}

/** A manifest by its path under fixtures/, or what takes its place. */
export function manifestFile(file: string, env: NodeJS.ProcessEnv = process.env): string {
  const over = overlay(env);
  return over?.files.includes(file) ? join(over.folder, file) : fixture(...file.split('/'));
}
