import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { root } from './paths.ts';

/** Words that run a TypeScript file of this checkout, by its path from there, as a program of its own. */
export function ownProgram(file: string): string[] {
  const loader = pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
  return [process.execPath, '--import', loader, join(root, file)];
}
