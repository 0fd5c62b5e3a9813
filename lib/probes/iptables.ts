import type { Place } from './places.ts';

/** One rule, or (without `rule`) the chain itself. */
export interface RuleLine {
  family: 'IPv4' | 'IPv6';
  table: string;
  chain: string;
  /** What comes after `-A <chain>`; the modules that a protocol loads anyway are left out. */
  rule?: string;
}

/** The four listings: rules made by iptables-legacy and by iptables-nft are not seen by the other. */
const listings = ['nft', 'legacy'].flatMap((kind) => [`iptables-${kind}-save`, `ip6tables-${kind}-save`]);

/** All chains and rules of a machine, IPv4 and IPv6, by whatever kind of iptables they were made. */
export async function iptablesOf(place: Place): Promise<RuleLine[]> {
  const shell = listings.map((list) => `echo "#${list}" && ${list}`).join(' && ');
  const { stdout, stderr, code } = await place.attempt(['bash', '-c', shell]);
  if (code !== 0) throw new Error(`iptables-save on ${place.name}: ${stderr.trim()}`);
  return stdout
    .split(/^#(?=ip6?tables-)/m)
    .flatMap((part) => parseSaved(part, part.startsWith('ip6') ? 'IPv6' : 'IPv4'));
}

/** Reads what iptables-save printed. */
export function parseSaved(text: string, family: RuleLine['family'] = 'IPv4'): RuleLine[] {
  let table = '';
  return text.split('\n').flatMap((line): RuleLine[] => {
    if (line.startsWith('*')) table = line.slice(1).trim();
    const chain = /^:(\S+)/.exec(line)?.[1];
    if (chain !== undefined) return [{ family, table, chain }];
    const [, of, rule] = /^-A (\S+) (.*)$/.exec(line) ?? [];
    return of && rule
      ? [{ family, table, chain: of, rule: rule.replaceAll(/-m (tcp|udp) /g, '').trim() }]
      : [];
  });
}

/** The rules of one chain in order, IPv4, of table nat unless told. */
export function rulesOf(lines: readonly RuleLine[], chain: string, table = 'nat'): string[] {
  return lines.flatMap((line) =>
    line.family === 'IPv4' && line.table === table && line.chain === chain && line.rule ? [line.rule] : [],
  );
}

/** The chains of Istio's, and the rules that name one, as "<family> <table> <chain> <rule>". */
export const ofIstio = (lines: readonly RuleLine[]): string[] =>
  lines.flatMap(({ family, table, chain, rule = '' }) =>
    `${chain} ${rule}`.includes('ISTIO_') ? [`${family} ${table} ${chain} ${rule}`.trim()] : [],
  );
