import { join } from 'node:path';
import { readJson, writeAtomic } from '#lib/base/files.ts';
import { fixture } from '#lib/base/paths.ts';

/** What is known of the falsifiers of claims: by it the likely cause of a failure is told. */
export type FalsifierMap = Readonly<Record<string, { layer: string; alsoRed: readonly string[] }>>;

const name = 'falsifiers.json';

/** What was recorded; nothing when nothing was. */
export const falsifierMap = (folder = fixture()): FalsifierMap =>
  readJson<FalsifierMap>(join(folder, name)) ?? {};

interface Falsified {
  id: string;
  ending: string;
  breaks?: string;
  alsoRed: readonly string[];
}

/**
 * Puts what was learned of claims that were killed in place of what the map had of them.
 *
 * @returns what came of it, in a sentence
 */
export async function recordFalsifiers(claims: readonly Falsified[], folder = fixture()): Promise<string> {
  const learned = claims.flatMap(({ id, ending, breaks, alsoRed }) =>
    ending === 'killed' && breaks !== undefined
      ? [[id, { layer: breaks, alsoRed: [...alsoRed].sort() }] as const]
      : [],
  );
  const map = { ...falsifierMap(folder), ...Object.fromEntries(learned) };
  const sorted = Object.fromEntries(Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1)));
  await writeAtomic(join(folder, name), `${JSON.stringify(sorted, undefined, 2)}\n`);
  return `fixtures/${name} has ${String(Object.keys(sorted).length)} claims, ${String(learned.length)} of them from this run.`;
}
