import { describe, expect, test } from 'vitest';
import type { PodObject } from './objects.ts';
import { network, peerMatches } from './peers.ts';
import { addressedPods } from './pods.ts';
import { merged, portMatches } from './ports.ts';
import { fits } from './selector.ts';

describe('selectors', () => {
  const expression = (operator: string, ...values: string[]) => ({
    matchExpressions: [{ key: 'tier', operator, values }],
  });
  test.each([
    [{}, true],
    [{ matchLabels: { app: 'web' } }, true],
    [{ matchLabels: { app: 'web', tier: 'back' } }, false],
    [expression('In', 'front', 'back'), true],
    [expression('In', 'back'), false],
    [expression('NotIn', 'front'), false],
    [expression('NotIn', 'back'), true],
    [expression('Exists'), true],
    [expression('DoesNotExist'), false],
  ])('%j', (selector, expected) => {
    expect(fits(selector, { app: 'web', tier: 'front' })).toBe(expected);
  });

  test('a missing key fits NotIn and DoesNotExist only', () => {
    const fitting = ['In', 'NotIn', 'Exists', 'DoesNotExist'].filter((one) =>
      fits(expression(one, 'front'), {}),
    );
    expect(fitting).toEqual(['NotIn', 'DoesNotExist']);
  });

  test('an unknown operator is an error, not a fit', () => {
    expect(() => fits(expression('Like', 'front'), {})).toThrow('operator "Like"');
  });
});

describe('pods', () => {
  const pod = (name: string, more: Partial<PodObject>): PodObject => ({
    metadata: { name, namespace: 'x' },
    spec: { nodeName: 'one' },
    status: { phase: 'Running', podIP: '10.42.1.2' },
    ...more,
  });
  const found = (...pods: PodObject[]) =>
    addressedPods(pods, []).map(({ ip, namespace }) => `${namespace} ${ip}`);

  test('a pod counts from its address to its end', () => {
    expect(found(pod('a', { status: { phase: 'Pending', podIP: '10.42.1.2' } }))).toHaveLength(1);
    expect(found(pod('a', { status: { phase: 'Pending' } }))).toHaveLength(0);
    expect(found(pod('a', { status: { phase: 'Succeeded', podIP: '10.42.1.2' } }))).toHaveLength(0);
    expect(found(pod('a', { status: { phase: 'Failed', podIP: '10.42.1.2' } }))).toHaveLength(0);
  });

  test('a pod on the network of its host has no address of its own', () => {
    expect(found(pod('a', { spec: { nodeName: 'one', hostNetwork: true } }))).toHaveLength(0);
  });

  test('an address that was handed on belongs to the younger pod', () => {
    const old = pod('a', {
      metadata: { name: 'a', namespace: 'old', creationTimestamp: '2026-01-01T00:00:00Z' },
    });
    const young = pod('b', {
      metadata: { name: 'b', namespace: 'young', creationTimestamp: '2026-01-01T00:01:00Z' },
    });
    expect(found(young, old)).toEqual(['young 10.42.1.2']);
  });

  test('the IPv4 address of a dual-stack pod counts', () => {
    expect(
      found(pod('a', { status: { podIP: 'fd00::2', podIPs: [{ ip: 'fd00::2' }, { ip: '10.42.1.9' }] } })),
    ).toEqual(['x 10.42.1.9']);
  });
});

describe('ports', () => {
  test('no ports are all ports', () => {
    expect(portMatches(undefined, [])).toEqual(['']);
  });

  test('a protocol alone is all of its ports', () => {
    expect(portMatches([{ protocol: 'UDP' }], [])).toEqual(['meta l4proto udp']);
  });

  test('numbers and ranges are put together by protocol', () => {
    expect(
      portMatches([{ port: 443 }, { port: 80, endPort: 90 }, { protocol: 'SCTP', port: 7 }], []),
    ).toEqual(['meta l4proto tcp th dport { 80-90, 443 }', 'meta l4proto sctp th dport { 7 }']);
  });

  test('a named port that no pod has fits nothing', () => {
    expect(portMatches([{ port: 'web' }], [])).toEqual([]);
  });

  test('ranges that touch or overlap become one, as nft refuses them in a set', () => {
    expect(
      merged([
        [85, 100],
        [80, 90],
        [101, 101],
        [443, 443],
      ]),
    ).toEqual([
      [80, 101],
      [443, 443],
    ]);
  });
});

describe('peers', () => {
  test('a block may have exceptions that overlap', () => {
    const peers = [{ ipBlock: { cidr: '10.0.0.0/8', except: ['10.1.0.0/16', '10.1.2.0/24'] } }];
    expect(peerMatches(peers, 'daddr', 'x', [])).toEqual([
      'ip daddr 10.0.0.0/8 ip daddr != 10.1.0.0/16 ip daddr != 10.1.2.0/24',
    ]);
  });

  test('an IPv6 block fits no packet of this cluster', () => {
    expect(peerMatches([{ ipBlock: { cidr: '::/0' } }], 'daddr', 'x', [])).toEqual([]);
  });

  test.each([
    ['10.42.1.9/4', '0.0.0.0/4'],
    ['192.168.77.9/22', '192.168.76.0/22'],
    ['10.42.1.9/32', '10.42.1.9/32'],
    ['1.2.3.4/0', '0.0.0.0/0'],
  ])('the network of %s is %s', (cidr, expected) => {
    expect(network(cidr)).toBe(expected);
  });
});
