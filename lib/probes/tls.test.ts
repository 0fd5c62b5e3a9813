import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { attempt, run } from '#lib/base/command.ts';
import { temporary } from '#lib/base/temporary.ts';
import type { Place } from './places.ts';
import { answerTo, handshake } from './tls.ts';

const here: Place = { name: 'here', attempt };
const servers: Server[] = [];
let folder: Awaited<ReturnType<typeof temporary>>;
let made: { certificate: string; key: string };
let other: string;

beforeAll(async () => {
  folder = await temporary();
  made = await selfSigned('one');
  other = (await selfSigned('other')).certificate;
});

afterAll(async () => {
  for (const server of servers) server.close();
  await folder[Symbol.asyncDispose]();
});

async function selfSigned(name: string): Promise<{ certificate: string; key: string }> {
  const [certificate, key] = [join(folder.path, `${name}.crt`), join(folder.path, `${name}.key`)];
  const names = 'subjectAltName=DNS:peer.test,URI:spiffe://test/peer';
  await run([
    ...[
      'openssl',
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '1',
    ],
    ...['-subj', `/CN=${name}`, '-addext', names, '-keyout', key, '-out', certificate],
  ]);
  return { certificate: await readFile(certificate, 'utf8'), key: await readFile(key, 'utf8') };
}

async function listening(server: Server): Promise<{ address: string; port: number }> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const at = server.address();
  return { address: '127.0.0.1', port: typeof at === 'object' && at ? at.port : 0 };
}

const peer = async (): Promise<{ address: string; port: number }> =>
  listening(
    createTlsServer(
      { cert: made.certificate, key: made.key, requestCert: true, rejectUnauthorized: false },
      (socket) => {
        const client = socket.getPeerCertificate().subject as { CN?: string } | undefined;
        socket.once('data', (said) => socket.end(`heard ${String(said)} from ${client?.CN ?? 'nobody'}`));
        socket.on('error', () => undefined);
      },
    ),
  );

test('a peer whose certificate is good for the name is verified, and its answer is kept', async () => {
  const asked = { ...(await peer()), sni: 'peer.test', roots: made.certificate, goodFor: 'peer.test' };
  const plain = await handshake(here, asked);
  expect(plain).toMatchObject({ outcome: 'verified', names: ['DNS:peer.test', 'URI:spiffe://test/peer'] });

  expect(await answerTo(here, 'hello', { ...asked, client: made })).toContain('heard hello from one');
});

test('another root or another name is not verified', async () => {
  const at = await peer();
  const stranger = await handshake(here, { ...at, sni: 'peer.test', roots: other });
  const wrong = await handshake(here, {
    ...at,
    sni: 'peer.test',
    roots: made.certificate,
    goodFor: 'else.test',
  });
  expect([stranger.outcome, wrong.outcome]).toEqual(['not verified', 'not verified']);
});

test('who hangs up shows no certificate, who does not listen is no connection', async () => {
  const rude = await listening(createServer((socket) => socket.destroy()));
  const gone = await listening(createServer());
  await new Promise((resolve) => servers.at(-1)?.close(resolve));
  const asked = { sni: 'peer.test', roots: made.certificate };
  expect((await handshake(here, { ...rude, ...asked })).outcome).toBe('no certificate');
  expect((await handshake(here, { ...gone, ...asked })).outcome).toBe('no connection');
});
