import { expect, test } from 'vitest';
import { get, outcomeOf, saidIn } from './http.ts';
import type { Place } from './places.ts';

const saying = (stdout: string, stderr = '', code = 0): Place => ({
  name: 'a place of a test',
  attempt: async () => Promise.resolve({ stdout, stderr, code, ms: 5 }),
});

test('an error of Envoy tells why in the message of an expectation', async () => {
  const body = 'upstream connect error … CERTIFICATE_VERIFY_FAILED:certificate has expired';
  const page = `HTTP/1.1 503 Service Unavailable\r\nserver: envoy\r\n\r\n${body}`;
  const answer = await get(saying(`${page}\n--curl--503 10.43.0.9 0.012`), 'http://helloworld.sample.svc');
  expect(outcomeOf(answer)).toBe('503');
  expect(saidIn(answer)).toBe(body);
});

test('a refusal tells what curl said, a good answer nothing', async () => {
  const said = 'curl: (56) Recv failure: Connection reset by peer';
  const refused = await get(saying('\n--curl--000  0.001', said, 56), 'http://192.0.2.1/');
  expect(outcomeOf(refused)).toBe('refused: connection reset');
  expect(saidIn(refused)).toBe(said);
  const good = await get(
    saying('HTTP/1.1 200 OK\r\n\r\nhi\n--curl--200 192.0.2.1 0.002'),
    'http://192.0.2.1/',
  );
  expect(saidIn(good)).toBe('');
});

test('what was lost on the way is asked for again, and only that', async () => {
  const said = 'curl: (7) Failed to connect to 192.0.2.1 port 80: Connection refused';
  const answers = [
    // without its end, without the exit status and why, without the exit status alone
    { stdout: '', stderr: '', code: 0, ms: 5 },
    { stdout: '\n--curl--000  0.001', stderr: '', code: 0, ms: 5 },
    { stdout: '\n--curl--000  0.001', stderr: said, code: 0, ms: 5 },
  ];
  let asked = 0;
  const losing: Place = {
    name: 'a place that loses',
    attempt: async () => Promise.resolve(answers[asked++] ?? { stdout: '', stderr: '', code: 0, ms: 5 }),
  };
  expect(outcomeOf(await get(losing, 'http://192.0.2.1/'))).toBe('refused: connection refused');
  expect(asked).toBe(3);
  await expect(get(losing, 'http://192.0.2.1/')).rejects.toThrow(
    'curl could not be run from a place that loses',
  );
});
