import type { FalsifierMap } from '#lib/claims/falsifier-map.ts';
import { layerNames } from '#lib/layers/layer.ts';
import type { Result } from './results.ts';

/** What most likely made a run red. */
export interface Cause {
  /** The layer that is broken. */
  layer: string;
  /** One line: the layer, and why it is thought to be that one. */
  line: string;
  /** The red claims that speak for it. */
  claims: string[];
}

type Seen = Pick<Result, 'id' | 'verdict' | 'layer' | 'blockedBy'>;

/**
 * The likely cause of a red run: the falsifier after which the same claims went red; without one, the lowest layer on
 * which a claim failed. A layer that did not come up is the cause itself, unless one below it is broken.
 *
 * @returns undefined when nothing is red
 */
export function likelyCause(results: readonly Seen[], map: FalsifierMap): Cause | undefined {
  const red = results.filter(({ verdict }) => verdict === 'failed' || verdict === 'broken');
  const seen = red.length === 0 ? undefined : (explained(results, red, map) ?? lowest(red));
  const down = blocking(results);
  if (!seen || !down) return seen ?? down;
  return heightOf(down.layer) <= heightOf(seen.layer) ? down : seen;
}

/** How well a falsifier explains what is red. */
interface Match {
  id: string;
  layer: string;
  /** What it turns red, of the claims that were looked at. */
  expected: string[];
  /** Those of them that are red. */
  found: string[];
  /** How much of what is red or expected to be is both: 1 when they are the same. */
  overlap: number;
}

/**
 * What most nearly is what is red. Of several alike, one whose own claim is red, as that is when it is falsified; of
 * those the one on the lowest layer, since what stands on it goes with it.
 */
function explained(results: readonly Seen[], red: readonly Seen[], map: FalsifierMap): Cause | undefined {
  const lookedAt = new Set(
    results.filter(({ verdict }) => ['passed', 'failed', 'broken'].includes(verdict)).map(({ id }) => id),
  );
  const reds = new Set(red.map(({ id }) => id));
  const matches = Object.entries(map).flatMap(([id, { layer, alsoRed }]): Match[] => {
    const expected = [...new Set([id, ...alsoRed])].filter((one) => lookedAt.has(one));
    const found = expected.filter((one) => reds.has(one));
    const either = expected.length + reds.size - found.length;
    return found.length === 0 ? [] : [{ id, layer, expected, found, overlap: found.length / either }];
  });
  const [best] = matches.sort(
    (a, b) =>
      b.overlap - a.overlap ||
      Number(reds.has(b.id)) - Number(reds.has(a.id)) ||
      heightOf(a.layer) - heightOf(b.layer) ||
      (a.id < b.id ? -1 : 1),
  );
  if (!best) return undefined;
  const { id, layer, expected, found } = best;
  const rest = reds.size - found.length;
  const line =
    `layer ${layer}: what is red is most like what went red when ${id} was falsified ` +
    `(${String(found.length)} of ${String(expected.length)}: ${listed(found)}` +
    `${rest > 0 ? `; ${String(rest)} more ${rest === 1 ? 'is' : 'are'} red` : ''})`;
  return { layer, line, claims: found };
}

/** Nothing is known about these claims but what they stand on. */
function lowest(red: readonly Seen[]): Cause {
  const height = Math.min(...red.map(({ layer }) => heightOf(layer)));
  const claims = red.filter(({ layer }) => heightOf(layer) === height);
  const layer = claims[0]?.layer ?? 'unknown';
  const ids = claims.map(({ id }) => id);
  return { layer, line: `layer ${layer}: the lowest on which a claim is red (${listed(ids)})`, claims: ids };
}

/** The lowest layer that did not come up. */
function blocking(results: readonly Seen[]): Cause | undefined {
  const blocked = results.filter(({ verdict }) => verdict === 'blocked');
  const [layer] = blocked
    .flatMap(({ blockedBy }) => blockedBy ?? [])
    .sort((a, b) => heightOf(a) - heightOf(b));
  if (layer === undefined) return undefined;
  const claims = blocked.filter(({ blockedBy }) => blockedBy === layer).map(({ id }) => id);
  return { layer, line: `layer ${layer}: it is not up, which blocks ${listed(claims)}`, claims };
}

function heightOf(layer: string | undefined): number {
  const place = layerNames.findIndex((name) => name === layer);
  return place < 0 ? layerNames.length : place;
}

const listed = (ids: readonly string[]): string =>
  ids.length > 5 ? `${ids.slice(0, 4).join(', ')} and ${String(ids.length - 4)} more` : ids.join(', ');
