import type { Place } from './places.ts';

/** What dig shows of an answer. */
export interface DnsAnswer {
  /** NOERROR, NXDOMAIN and so on. */
  status: string;
  /** In the order of dig: qr aa rd ra … */
  flags: string[];
  warnings: string[];
  records: { name: string; ttl: number; type: string; data: string }[];
  /** Such as 127.0.0.53#53. */
  server: string;
  transport: string;
}

/**
 * Asks for the A records of a name with plain `dig`, by the resolver that the place uses.
 *
 * @throws Error when nobody answered
 */
export async function dig(from: Place, name: string): Promise<DnsAnswer> {
  const { stdout, stderr, code } = await from.attempt(['dig', name]);
  if (code !== 0) throw new Error(`dig ${name} on ${from.name}: ${stdout.trim() || stderr.trim()}`);
  return parseDig(stdout);
}

/** Reads what dig printed. @throws Error when it holds no answer */
export function parseDig(text: string): DnsAnswer {
  const status = /->>HEADER<<-.*status: (\w+)/.exec(text)?.[1];
  if (status === undefined) throw new Error(`dig shows no answer: ${text.trim().slice(0, 500)}`);
  const section = /;; ANSWER SECTION:\n([^]*?)(\n\n|$)/.exec(text)?.[1] ?? '';
  const server = /;; SERVER: (\S+?)\(.*?\) \((\w+)\)/.exec(text);
  return {
    status,
    flags: (/;; flags: ([^;]*);/.exec(text)?.[1] ?? '').split(' ').filter(Boolean),
    warnings: [...text.matchAll(/;; WARNING: (.*)/g)].map(([, warning = '']) => warning),
    records: section.split('\n').flatMap((line) => {
      const [owner, ttl, , type, ...data] = line.split(/\s+/);
      return owner && type ? [{ name: owner, ttl: Number(ttl), type, data: data.join(' ') }] : [];
    }),
    server: server?.[1] ?? '',
    transport: server?.[2] ?? '',
  };
}
