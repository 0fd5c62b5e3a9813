import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '#lib/base/paths.ts';

/** Where a claim is proved: a test file, relative to the folder of the suites. */
export interface Proof {
  id: string;
  file: string;
  /** The layer that the file says its claims stand on. */
  standsOn?: string | undefined;
  /** What it says that it looks at; the lab when it says nothing. */
  looksAt?: string | undefined;
}

/**
 * The claims that suite files declare with a literal id, found by reading the files, because a file whose
 * worker dies cannot say what it would have proved.
 */
export function implemented(folder = join(root, 'suites')): Proof[] {
  if (!existsSync(folder)) return [];
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.test.ts'),
  );
  return files.sort().flatMap((file) => {
    const text = readFileSync(join(folder, file), 'utf8');
    const standsOn = /\bclaims\([^)]*\blayer:\s*'([^']+)'/.exec(text)?.[1];
    const found = [...text.matchAll(/\bclaim\(\s*['"`]([^'"`]+)['"`]/g)];
    return found.map((match, place) => {
      const declaration = text.slice(match.index, found[place + 1]?.index);
      const looksAt = /\blooksAt:\s*'([^']+)'/.exec(declaration)?.[1];
      return { id: match[1] ?? '', file, standsOn, looksAt };
    });
  });
}
