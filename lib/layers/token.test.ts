import { generateKeyPairSync, verify } from 'node:crypto';
import { expect, test } from 'vitest';
import { reissued } from './token.ts';

const part = (of: object): string => Buffer.from(JSON.stringify(of)).toString('base64url');
const read = (text = ''): unknown => JSON.parse(Buffer.from(text, 'base64url').toString());

test('a token is reissued with other times, the rest as it was, and a signature that holds', () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const head = { alg: 'ES256', kid: 'the-key' };
  const claims = {
    aud: ['istio-ca'],
    sub: 'system:serviceaccount:vmns:vmsa',
    iat: 5000,
    nbf: 5000,
    exp: 8600,
  };
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();

  const token = reissued(`${part(head)}.${part(claims)}.signature\n`, pem, {
    issuedAt: 1000,
    expiresAt: 2000,
  });

  const [first, second, signature = ''] = token.split('.');
  expect(read(first)).toEqual(head);
  expect(read(second)).toEqual({ ...claims, iat: 1000, nbf: 1000, exp: 2000 });
  const content = Buffer.from(`${String(first)}.${String(second)}`);
  const by = { key: publicKey, dsaEncoding: 'ieee-p1363' as const };
  expect(verify('sha256', content, by, Buffer.from(signature, 'base64url'))).toBe(true);
});

test('a key of the other kind signs as it does for k3s', () => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString();

  const token = reissued(`${part({ alg: 'RS256' })}.${part({ sub: 'x' })}.signature`, pem, {
    issuedAt: 1000,
    expiresAt: 2000,
  });

  const [first, second, signature = ''] = token.split('.');
  const content = Buffer.from(`${String(first)}.${String(second)}`);
  expect(verify('sha256', content, publicKey, Buffer.from(signature, 'base64url'))).toBe(true);
});
