import { expect, test } from 'vitest';
import { servedIn } from './server-log.ts';

test('a line of the journal tells when, from where and what was asked for', () => {
  const line =
    '1763726400.123456 vm-istio-external-workload python3[812]: 127.0.0.6 - - [21/Nov/2026 12:00:00] "GET /?claim-0a1b HTTP/1.1" 200 -';
  expect(servedIn(line)).toEqual([
    { at: 1763726400123.456, from: '127.0.0.6', request: 'GET /?claim-0a1b HTTP/1.1', status: '200' },
  ]);
});

test('what is no request is left out', () => {
  const line = '1763726400.1 vm python3[812]: Serving HTTP on 0.0.0.0 port 8000 (http://0.0.0.0:8000/) ...';
  expect(servedIn(line)).toEqual([]);
});
