import { expect, test } from 'vitest';
import { contained, containedRun } from './contained.ts';

test('as root a program gets namespaces that end with us; without root it runs as it is', () => {
  expect(contained(['go', 'build'], true).join(' ')).toMatch(
    /--pdeathsig KILL .*--kill-child=KILL .*go build$/,
  );
  expect(contained(['go', 'build'], false)).toEqual(['go', 'build']);
});

test('a signal reaches the program', async () => {
  const off = new AbortController();
  let seen: AbortSignal | undefined;

  await containedRun(off.signal, async (_, options) => {
    seen = options?.signal;
    return Promise.resolve({ stdout: '', stderr: '', code: 0, ms: 1 });
  })(['true']);

  expect(seen).toBe(off.signal);
});
