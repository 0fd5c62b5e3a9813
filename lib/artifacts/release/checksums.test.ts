import { expect, test } from 'vitest';
import { RefusedError } from '#lib/base/errors.ts';
import { checksumOf } from './checksums.ts';

const [a, b] = ['a'.repeat(64), 'b'.repeat(64)];

test.each([
  ['one line with the name after one space, as Istio has it', `${a} thing.tar.gz\n`],
  ['one hash without a name', a.toUpperCase()],
  ['a line among others', `${b}  other\n${a}  thing.tar.gz\n`],
  ['a name with a folder, read as binary', `${b} *x/other\n${a} *x/thing.tar.gz\n`],
])('%s', (_, text) => {
  expect(checksumOf('thing.tar.gz', text, 'http://x/sums')).toBe(a);
});

test('the hash of another file is none', () => {
  expect(checksumOf('thing', `${a}  other\n`, 'http://x/sums')).toBeUndefined();
});

test.each([
  ['a page of something else', '<!DOCTYPE html><title>Sign in</title>', /found "<!DOCTYPE html>/],
  ['nothing', '', /found ""/],
  ['a hash cut short', `${a}  thing\n${b.slice(1)}  other`, /found "b{60}"/],
])('%s is refused as no checksum file', (_, text, found) => {
  const look = (): unknown => checksumOf('thing', text, 'http://x/sums');

  expect(look).toThrow(RefusedError);
  expect(look).toThrow(/^http:\/\/x\/sums is no checksum file: expected lines/);
  expect(look).toThrow(found);
});
