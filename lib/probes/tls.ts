import { X509Certificate } from 'node:crypto';
import type { Output } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import type { Place } from './places.ts';

export interface TlsOptions {
  address: string;
  port: number;
  /** The server name that is asked for. */
  sni: string;
  /** The certificates that the peer's own is verified with, PEM. */
  roots: string;
  /** The name that the peer's certificate must be good for; none is asked for unless told. */
  goodFor?: string;
  /** Certificate (with chain) and key, PEM, for a peer that asks for them. */
  client?: { certificate: string; key: string };
  /** The application protocol to negotiate. */
  alpn?: string;
}

/** A TLS handshake as it ended. */
export interface Handshake {
  outcome: 'verified' | 'not verified' | 'no certificate' | 'no connection';
  /** The subject alternative names of the peer's certificate. */
  names: string[];
  /** What openssl said. */
  said: string;
}

/** One TLS handshake by openssl, from a place whose commands get our environment, such as a bystander. */
export async function handshake(from: Place, options: TlsOptions): Promise<Handshake> {
  const { stdout, code } = await client(from, options, []);
  const pem = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/.exec(stdout)?.[0];
  const names = pem === undefined ? '' : (new X509Certificate(pem).subjectAltName ?? '');
  return {
    outcome: outcome(stdout, code, pem !== undefined),
    names: names === '' ? [] : names.split(', '),
    // the keys of the session are for nobody's eyes
    said: stdout.replaceAll(/^ +(Master-Key|Resumption PSK|[0-9a-f]{4} -).*\n/gm, ''),
  };
}

function outcome(said: string, code: number, certificate: boolean): Handshake['outcome'] {
  if (!said.includes('CONNECTED')) return 'no connection';
  if (said.includes('verify error')) return 'not verified';
  if (!certificate) return 'no certificate';
  return code === 0 && said.includes('Verify return code: 0 (ok)') ? 'verified' : 'not verified';
}

/** What a peer answers to a text over TLS, until it hangs up, and what openssl has to complain about. */
export async function answerTo(from: Place, text: string, options: TlsOptions): Promise<string> {
  return (await client(from, options, ['-quiet'], text)).stdout;
}

// Keys are handed over in the environment, so that no list of processes shows them.
const openssl = [
  'exec 11< <(echo "$ROOTS") 12< <(echo "$CLIENT") 13< <(echo "$CLIENT") 14< <(echo "$KEY")',
  'more=()',
  '[ -z "$CLIENT" ] || more+=(-cert /dev/fd/12 -cert_chain /dev/fd/13 -key /dev/fd/14)',
  '[ -z "$ALPN" ] || more+=(-alpn "$ALPN")',
  '[ -z "$NAME" ] || more+=(-verify_hostname "$NAME")',
  'exec openssl s_client -CAfile /dev/fd/11 -verify_return_error "${more[@]}" "$@" 2>&1',
].join('\n');

async function client(
  from: Place,
  options: TlsOptions,
  flags: readonly string[],
  input = '',
): Promise<Output> {
  const { address, port, sni, roots, client: shown, alpn = '', goodFor = '' } = options;
  const { certificate = '', key = '' } = shown ?? {};
  const peer = ['-connect', `${address}:${String(port)}`, '-servername', sni];
  return from.attempt(['bash', '-c', openssl, '-', ...peer, ...flags], {
    input,
    env: { ROOTS: roots, CLIENT: certificate, KEY: key, ALPN: alpn, NAME: goodFor },
    within: ours.tlsHandshake,
    secret: shown !== undefined,
  });
}
