import { expect, test } from 'vitest';
import { merged, page, timed } from './timeline.ts';

const day = { from: Date.parse('2026-11-21T00:00:00Z'), to: Date.parse('2026-11-21T23:59:59Z') };
const at = (time: string): number => Date.parse(`2026-11-21T${time}Z`);

test.each([
  ['the agent', '2026-11-21T10:00:00.123456Z\tinfo\tready', at('10:00:00.123'), 'info\tready'],
  [
    'the access log',
    '[2026-11-21T10:00:00.123Z] "GET / HTTP/1.1" 200',
    at('10:00:00.123'),
    '[2026-11-21T10:00:00.123Z] "GET / HTTP/1.1" 200',
  ],
  ['a container', '2026-11-21T10:00:00.123456789Z stdout F hello', at('10:00:00.123'), 'hello'],
  [
    'a container that tells the time itself',
    '2026-11-21T10:00:02.1Z stdout F [2026-11-21T10:00:00.500Z] "GET /',
    at('10:00:00.500'),
    '[2026-11-21T10:00:00.500Z] "GET /',
  ],
  ['the journal', '1795255200.500000 vm python3[1]: GET /', 1795255200500, 'vm python3[1]: GET /'],
  [
    'containerd',
    'time="2026-11-21T10:00:00.5Z" level=error msg=x',
    at('10:00:00.500'),
    'time="2026-11-21T10:00:00.5Z" level=error msg=x',
  ],
  [
    'etcd',
    '{"level":"warn","ts":"2026-11-21T10:00:00.5Z","msg":"slow"}',
    at('10:00:00.500'),
    '{"level":"warn","ts":"2026-11-21T10:00:00.5Z","msg":"slow"}',
  ],
  [
    'Envoy',
    '[2026-11-21 10:00:00.500][12][warning] x',
    at('10:00:00.500'),
    '[2026-11-21 10:00:00.500][12][warning] x',
  ],
])('reads the time that %s writes', (_, line, expected, text) => {
  const read = timed(line, day);
  expect(read).toEqual({ at: expect.closeTo(expected, 0) as number, text });
});

test('klog has no year: it is that of the window, or the one before on its first day', () => {
  const line = 'E1231 23:59:59.500000  1 kubelet.go:1] x';
  const newYear = { from: 0, to: new Date(2027, 0, 1, 0, 0, 1).getTime() };
  expect(timed(line, newYear)?.at).toBe(new Date(2026, 11, 31, 23, 59, 59, 500).getTime());
});

test('what has no time of its own belongs to the line before it', () => {
  const text = 'lost: nothing is before it\n2026-11-21T10:00:00Z\tpanic\n  at one\n\n  at two';
  expect(merged([{ from: 'vm agent', text }], day)).toEqual([
    { at: at('10:00:00'), from: 'vm agent', text: 'panic\n  at one\n  at two' },
  ]);
});

test('merges by time, and leaves out what is not of the window', () => {
  const window = { from: at('10:00:00'), to: at('10:00:10') };
  const text = page(
    merged(
      [
        {
          from: 'vm agent',
          text: '2026-11-21T09:59:59Z before\n2026-11-21T10:00:05Z third\n2026-11-21T10:00:11Z after',
        },
        { from: 'event', text: '2026-11-21T10:00:03+00:00 first\n2026-11-21T10:00:04Z second' },
      ],
      window,
    ),
  );
  expect(text).toBe(
    [
      '2026-11-21T10:00:03.000Z  event     first',
      '2026-11-21T10:00:04.000Z  event     second',
      '2026-11-21T10:00:05.000Z  vm agent  third',
      '',
    ].join('\n'),
  );
});
