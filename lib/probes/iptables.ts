import type { Place } from './places.ts';

/** One rule, or (without `rule`) the chain itself. */
export interface RuleLine {
  family: 'IPv4' | 'IPv6';
  table: string;
  chain: string;
  /** What comes after `-A <chain>`; the modules that a protocol loads anyway are left out. */
  rule?: string;
}

/** All chains and rules of a machine, IPv4 and IPv6, as iptables-save tells them. */
export async function iptablesOf(place: Place): Promise<RuleLine[]> {
  const { stdout, stderr, code } = await place.attempt([
    'bash',
    '-c',
    'iptables-save && echo "#v6" && ip6tables-save',
  ]);
  if (code !== 0) throw new Error(`iptables-save on ${place.name}: ${stderr.trim()}`);
  const [four = '', six = ''] = stdout.split('#v6');
  return [...parseSaved(four, 'IPv4'), ...parseSaved(six, 'IPv6')];
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
