import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporary } from '#lib/base/temporary.ts';
import { chromiumHere } from './chromium.ts';

test('the browser is the one that was asked for, or the first on PATH', async () => {
  await using dir = await temporary();
  const file = join(dir.path, 'google-chrome');
  await writeFile(file, '#!/bin/sh\n');
  const PATH = `/no/such/folder:${dir.path}`;
  expect(chromiumHere({ PATH })).toBeUndefined();
  await chmod(file, 0o755);
  expect(chromiumHere({ PATH })).toBe(file);
  expect(chromiumHere({ PATH: '', CHROMIUM: file })).toBe(file);
  expect(() => chromiumHere({ PATH, CHROMIUM: '/no/such/browser' })).toThrow(
    'CHROMIUM=/no/such/browser is no program that can be run; leave it out to take one from PATH.',
  );
});
