import type { Pod } from './pods.ts';
import type { PolicyPort } from './objects.ts';

/**
 * The nft expressions of which one must fit for the ports of a policy rule to fit; `['']` fits every packet.
 * A named port means another number on each pod, so it is matched together with the address of its pod.
 *
 * @param destinations the pods whose named ports are meant
 */
export function portMatches(
  ports: readonly PolicyPort[] | undefined,
  destinations: readonly Pod[],
): string[] {
  if (!ports || ports.length === 0) return [''];
  const matches: string[] = [];
  const ranges = new Map<string, [number, number][]>();
  const named: string[] = [];
  for (const { protocol = 'TCP', port, endPort } of ports) {
    const l4 = protocol.toLowerCase();
    if (port === undefined) {
      matches.push(`meta l4proto ${l4}`);
    } else if (typeof port === 'number') {
      ranges.set(l4, [...(ranges.get(l4) ?? []), [port, endPort ?? port]]);
    } else {
      for (const pod of destinations) {
        for (const one of pod.ports) {
          if (one.name === port && one.protocol === protocol)
            named.push(`${pod.ip} . ${l4} . ${String(one.port)}`);
        }
      }
    }
  }
  for (const [l4, list] of ranges) {
    matches.push(`meta l4proto ${l4} th dport { ${merged(list).map(rangeText).join(', ')} }`);
  }
  if (named.length > 0) {
    matches.push(`ip daddr . meta l4proto . th dport { ${[...new Set(named)].join(', ')} }`);
  }
  return matches;
}

/** Ranges in order and without overlap, which nft refuses in a set. */
export function merged(ranges: readonly (readonly [number, number])[]): [number, number][] {
  const result: [number, number][] = [];
  for (const [from, to] of [...ranges].sort((a, b) => a[0] - b[0])) {
    const last = result.at(-1);
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else result.push([from, to]);
  }
  return result;
}

const rangeText = ([from, to]: readonly [number, number]): string =>
  from === to ? String(from) : `${String(from)}-${String(to)}`;
