import { describe, expect, test } from 'vitest';
import { accesses, accessIn, accessMarked, accessOver } from './access-log.ts';

const denied =
  '[2026-11-21T12:00:00.123Z] "GET / HTTP/1.1" 503 URX,UF upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused} - "delayed_connect_error:_Connection_refused" 0 114 52 - "-" "claim-0a1b" "b2c3" "external-app.vmns.svc:8000" "192.168.64.64:8000" outbound|8000||external-app.vmns.svc.cluster.local - 10.43.9.9:8000 10.42.1.9:53124 - default';
const arrived =
  '[2026-11-21T12:00:00.123Z] "GET /hello HTTP/1.1" 200 - via_upstream - "-" 0 60 3 2 "-" "curl/8 (with, words)" "b2c3" "helloworld.sample.svc:5000" "10.42.1.5:5000" inbound|5000|| 127.0.0.6:39511 10.42.1.5:5000 10.42.2.3:60000 outbound_.5000_._.helloworld.sample.svc.cluster.local default';

describe('a line of the access log', () => {
  test('tells why a request failed, and where it was sent', () => {
    expect(accessIn(denied)).toEqual({
      request: 'GET / HTTP/1.1',
      status: '503',
      flags: 'URX,UF',
      details:
        'upstream_reset_before_response_started{remote_connection_failure|delayed_connect_error:_Connection_refused}',
      transportFailure: 'delayed_connect_error:_Connection_refused',
      userAgent: 'claim-0a1b',
      upstream: '192.168.64.64:8000',
      cluster: 'outbound|8000||external-app.vmns.svc.cluster.local',
      upstreamLocal: '-',
      downstreamRemote: '10.42.1.9:53124',
      serverName: '-',
    });
  });

  test('tells the server name that the caller asked for, whatever words the user agent has', () => {
    expect(accessIn(arrived)).toMatchObject({
      userAgent: 'curl/8 (with, words)',
      upstreamLocal: '127.0.0.6:39511',
      downstreamRemote: '10.42.2.3:60000',
      serverName: 'outbound_.5000_._.helloworld.sample.svc.cluster.local',
    });
  });

  test.each([
    ['2026-11-21T12:00:00.123456Z\tinfo\txdsproxy\tconnected to delta upstream XDS server'],
    ['[Envoy (Epoch 0)] [2026-11-21 12:00:00.123][12][warning] something'],
    [''],
  ])('is not: %s', (line) => {
    expect(accessIn(line)).toBeUndefined();
  });
});

test('the entries of a log are found among its other lines', async () => {
  const log = async (): Promise<string> => Promise.resolve(`starting\n${denied}\n${arrived}\n`);
  const found = await accesses(log, ({ status }) => status === '503');
  expect(found.map(({ flags }) => flags)).toEqual(['URX,UF']);
  expect(await accessMarked('claim-0a1b', log)).toEqual(found);

  const [there] = await accesses(log, ({ status }) => status === '200');
  if (!there) throw new Error('The second entry was not found.');
  expect(await accessOver({ ...there, upstreamLocal: '192.168.64.61:60000' }, log)).toEqual([there]);
});
