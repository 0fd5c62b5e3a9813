import { X509Certificate } from 'node:crypto';
import type { Place } from './places.ts';

export interface HandshakeOptions {
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
  /** What is sent once the handshake is done. */
  say?: string;
}

/** A TLS handshake as it ended. */
export interface Handshake {
  outcome: 'verified' | 'not verified' | 'no certificate' | 'no connection';
  /** The subject alternative names of the peer's certificate. */
  names: string[];
  /** What the peer sent afterwards, and what openssl said. */
  said: string;
}

const openssl = [
  'exec 11< <(echo "$ROOTS") 12< <(echo "$CLIENT") 13< <(echo "$CLIENT") 14< <(echo "$KEY")',
  'more=()',
  '[ -z "$CLIENT" ] || more+=(-cert /dev/fd/12 -cert_chain /dev/fd/13 -key /dev/fd/14)',
  '[ -z "$ALPN" ] || more+=(-alpn "$ALPN")',
  '[ -z "$NAME" ] || more+=(-verify_hostname "$NAME")',
  // without it openssl hangs up once it has nothing more to say
  '[ -z "$SAY" ] || more+=(-ign_eof)',
  'exec openssl s_client -connect "$1" -servername "$2" -CAfile /dev/fd/11 -verify_return_error "${more[@]}" 2>&1',
].join('\n');

/**
 * One TLS handshake by openssl from a place whose commands get our environment, such as a bystander.
 * Keys are handed over in the environment, so that no list of processes shows them.
 */
export async function handshake(from: Place, options: HandshakeOptions): Promise<Handshake> {
  const { address, port, sni, roots, client, alpn = '', say = '', goodFor: name = '' } = options;
  const { stdout, code } = await from.attempt(
    ['bash', '-c', openssl, '-', `${address}:${String(port)}`, sni],
    {
      input: say,
      env: {
        ROOTS: roots,
        CLIENT: client?.certificate ?? '',
        KEY: client?.key ?? '',
        ALPN: alpn,
        NAME: name,
        SAY: say,
      },
      within: 20_000,
      secret: client !== undefined,
    },
  );
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
