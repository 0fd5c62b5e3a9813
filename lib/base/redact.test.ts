import { expect, test } from 'vitest';
import { redact } from './redact.ts';

const key = ['-----BEGIN EC PRIVATE', 'KEY-----\nMHcCAQEE\n-----END EC PRIVATE', 'KEY-----'].join(' ');

test.each([
  [
    'a token',
    `jwt ${['eyJhbGciOiJFUzI1NiJ9', 'eyJpc3MiOiJodHRwcyJ9', 'c2lnbmF0dXJl'].join('.')} end`,
    'jwt (token withheld) end',
  ],
  ['a private key', `a ${key} b`, 'a (private key withheld) b'],
  ['a header', 'Authorization: Bearer abcdefgh12345678', 'Authorization: Bearer (withheld)'],
  ["a node's token", `-t ${['K10' + 'a'.repeat(64), 'server:0123abcd'].join('::')}'`, "-t (token withheld)'"],
  ['a kubeconfig', `client-key-data: ${'A'.repeat(40)}`, 'client-key-data: (withheld)'],
  ['nothing', 'a plain text about tokens', 'a plain text about tokens'],
])('redacts %s', (_, text, clean) => {
  expect(redact(text)).toBe(clean);
});
