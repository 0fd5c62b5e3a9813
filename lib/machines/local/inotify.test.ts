import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { roomForWatchers } from './inotify.ts';

const file = join(mkdtempSync(join(tmpdir(), 'inotify-')), 'limit');

test.each([
  ['128\n', '1024'],
  ['8192\n', '8192\n'],
])('a limit of %j becomes %j', async (was, becomes) => {
  writeFileSync(file, was);
  await roomForWatchers(file);
  expect(readFileSync(file, 'utf8')).toBe(becomes);
});
