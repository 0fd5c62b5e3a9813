import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { redact } from '#lib/base/redact.ts';
import { withhold, writeBundle } from './bundle.ts';
import { secretsIn, telling } from './scan.ts';

/** Put together here, so that no file of the checkout looks as if it had a secret. */
const blank = ' ';
const begin = (kind: string): string => `-----BEGIN ${kind}PRIVATE${blank}KEY-----`;
const body = 'MHcCAQEEIBvZ9Jq0o8Z3mK5nT2xYp7Qw1LrEuVtHsDfGhJkAoGCCqGSM49AwEHoUQDQgAE';
const pem = (kind = ''): string => `${begin(kind)}\n${body}\n-----END ${kind}PRIVATE${blank}KEY-----\n`;
const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const token = [
  part({ alg: 'ES256', kid: 'one' }),
  part({ sub: 'vmsa', aud: ['istio-ca'] }),
  'c2lnbmF0dXJlLW9m',
].join('.');
const base64 = (text: string): string => Buffer.from(text).toString('base64');

const seeded: [string, string][] = [
  ['a private key', pem()],
  ['a private key of RSA', pem('RSA ')],
  ['a private key of EC in JSON', JSON.stringify({ inline_string: pem('EC ') })],
  ['a private key that is cut', `${begin('')}\n${body.slice(0, 40)}`],
  ['a private key in base64', `key.pem: ${base64(pem('EC '))}`],
  ['a token', `token=${token}`],
  ['a token in an error', `could not use "${token.slice(0, 30)}" as it is cut`],
  ['a token in a header', `Authorization: Bearer ${token}`],
  ['basic credentials', `authorization: Basic ${base64('admin:correct horse')}`],
  ['a password', 'password: correct-horse-battery'],
  ['a short password', '{"password":"hunter2"}'],
];

test.each(seeded)('finds %s', (_, text) => {
  expect(secretsIn(`before ${text} after`)).not.toEqual([]);
});

test.each(seeded)('finds nothing once %s is redacted', (_, text) => {
  const clean = redact(`before ${text} after`);
  expect(clean).toContain('withheld)');
  expect(secretsIn(clean, telling('the key', body))).toEqual([]);
});

test('knows the secrets of the lab whatever is around them', () => {
  const known = telling('the key sa.key', pem());
  expect(secretsIn(`x${body}y`, known)).toEqual(['the key sa.key']);
  expect(secretsIn(`data: ${base64(`{"k":"${body}"}`)}`, known)).toEqual(['the key sa.key in base64']);
});

test.each([
  ['a certificate', `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----`],
  ['a certificate in base64', base64(`-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----`)],
  ['words about tokens', 'token_path: ./var/run/secrets/tokens/istio-token, the password is asked for'],
  ['a digest', 'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'],
])('takes %s for no secret', (_, text) => {
  expect(secretsIn(text, telling('the token', token))).toEqual([]);
});

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bundle-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

test('a file that still has a secret is taken away, and the index is told', async () => {
  const known = telling('the token of the VM', 'abcdefghijklmnopqrstuvwxyz012345');
  const notes = await writeBundle(
    folder,
    [
      { file: 'vm/istio.log', text: `the agent says ${token}` },
      { file: 'vm/odd.txt', text: 'abcdefghijklmnopqrstuvwxyz012345' },
    ],
    known,
  );
  expect(await readFile(join(folder, 'vm/istio.log'), 'utf8')).toBe('the agent says (token withheld)');
  expect(await readdir(join(folder, 'vm'))).toEqual(['istio.log']);
  expect(notes).toContain('vm/odd.txt: withheld, as the scan found the token of the VM in it');
});

test('every file below is looked at, whoever wrote it', async () => {
  await writeBundle(folder, [{ file: 'a/b/fine.txt', text: 'fine' }], []);
  for (const [place, [, text]] of seeded.entries())
    await writeFile(join(folder, `a/b/${String(place)}.txt`), text);
  expect(await withhold(folder, [])).toHaveLength(seeded.length);
  expect(await readdir(join(folder, 'a/b'))).toEqual(['fine.txt']);
});

test('a bundle has a size: of a long file the end is kept, and what finds no room is named', async () => {
  const line = `${'x'.repeat(99)}\n`;
  const notes = await writeBundle(
    folder,
    [
      { file: 'long.log', text: `${line.repeat(20)}the end` },
      { file: 'more.log', text: line.repeat(6) },
      { file: 'small.log', text: line },
    ],
    [],
    { file: 1000, bundle: 1500 },
  );
  expect(await readFile(join(folder, 'long.log'), 'utf8')).toBe(`${line.repeat(9)}the end`);
  expect((await readdir(folder)).sort()).toEqual(['long.log', 'small.log']);
  expect(notes[0]).toBe('long.log: the last 907 bytes of 2007');
  expect(notes[1]).toBe('more.log: left out, as there was no room for its 600 bytes');
});
