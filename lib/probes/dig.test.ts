import { describe, expect, test } from 'vitest';
import { parseDig } from './dig.ts';

const answer = `
; <<>> DiG 9.18.12-0ubuntu0.22.04.3-Ubuntu <<>> istiod-1-20-0.istio-system.svc
;; global options: +cmd
;; Got answer:
;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 27953
;; flags: qr aa rd; QUERY: 1, ANSWER: 1, AUTHORITY: 0, ADDITIONAL: 0
;; WARNING: recursion requested but not available

;; QUESTION SECTION:
;istiod-1-20-0.istio-system.svc.	IN	A

;; ANSWER SECTION:
istiod-1-20-0.istio-system.svc. 30	IN	A	10.43.26.124

;; Query time: 0 msec
;; SERVER: 127.0.0.53#53(127.0.0.53) (UDP)
`;

describe('what dig printed', () => {
  test('is read', () => {
    expect(parseDig(answer)).toEqual({
      status: 'NOERROR',
      flags: ['qr', 'aa', 'rd'],
      warnings: ['recursion requested but not available'],
      records: [{ name: 'istiod-1-20-0.istio-system.svc.', ttl: 30, type: 'A', data: '10.43.26.124' }],
      server: '127.0.0.53#53',
      transport: 'UDP',
    });
  });

  test('may hold no record', () => {
    const none = answer.replace('NOERROR', 'NXDOMAIN').replace(/;; ANSWER SECTION:\n.*\n/, '');
    expect(parseDig(none)).toMatchObject({ status: 'NXDOMAIN', records: [] });
  });

  test('may be no answer at all', () => {
    expect(() => parseDig(';; communications error to 127.0.0.53#53: timed out')).toThrow('timed out');
  });
});
