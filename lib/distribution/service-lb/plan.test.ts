import { expect, test } from 'vitest';
import { conflictEvent } from './event.ts';
import type { LoadBalancerState, NodeObject, PodObject, ServiceObject } from './objects.ts';
import { plan } from './plan.ts';

const node = (number: number, ready = 'True'): NodeObject => ({
  metadata: { name: `node-${String(number)}` },
  status: {
    addresses: [
      { type: 'Hostname', address: `node-${String(number)}` },
      { type: 'InternalIP', address: `192.168.64.6${String(number)}` },
    ],
    conditions: [{ type: 'Ready', status: ready }],
  },
});

const service = (
  name: string,
  minute: number,
  ports: number[],
  more: Partial<ServiceObject> = {},
): ServiceObject => ({
  metadata: { name, namespace: 'x', uid: name, creationTimestamp: `2026-01-01T00:0${String(minute)}:00Z` },
  spec: { type: 'LoadBalancer', ports: ports.map((port) => ({ port, protocol: 'TCP' })) },
  ...more,
});

const having = (...ips: string[]): Partial<ServiceObject> => ({
  status: { loadBalancer: { ingress: ips.map((ip) => ({ ip })) } },
});

const all = ['192.168.64.60', '192.168.64.61', '192.168.64.62'];

const world = (services: ServiceObject[], more: Partial<LoadBalancerState> = {}): LoadBalancerState => ({
  services,
  nodes: [node(2), node(0), node(1)],
  pods: [],
  slices: [],
  ...more,
});

const given = (state: LoadBalancerState, held?: Map<string, string>) => {
  const { changes, pending } = plan(state, held);
  return {
    changes: changes.map(({ service: { metadata }, addresses }) => [metadata.name, ...addresses]),
    pending: pending.map(({ service: { metadata } }) => metadata.name),
  };
};

test('a service gets the addresses of all ready nodes, in order', () => {
  expect(given(world([service('ingress', 0, [80, 443])])).changes).toEqual([['ingress', ...all]]);
  const nodes = [node(0), node(1, 'False'), node(2, 'Unknown')];
  expect(given(world([service('ingress', 0, [80])], { nodes })).changes).toEqual([
    ['ingress', '192.168.64.60'],
  ]);
});

test('what the status says already is not written again', () => {
  expect(given(world([service('ingress', 0, [80], having(...all))])).changes).toEqual([]);
});

test('a port that an older service holds everywhere leaves the younger one pending, with the reason', () => {
  const state = world([
    service('ewg', 1, [15021, 15443]),
    service('ingress', 0, [15021, 80], having(...all)),
  ]);
  expect(given(state)).toEqual({ changes: [], pending: ['ewg'] });
  const [first] = plan(state, undefined).pending;
  expect(first && conflictEvent(first.service, first.conflicts, new Date(0))).toMatchObject({
    reason: 'PortConflict',
    message:
      'No node has all ports of this service free: TCP/15021 is held by service x/ingress on node-0, node-1, node-2.',
    involvedObject: { kind: 'Service', name: 'ewg' },
  });
});

test('the same number of another protocol is another port', () => {
  const udp = service('dns', 1, [], {
    spec: { type: 'LoadBalancer', ports: [{ port: 53, protocol: 'UDP' }] },
  });
  expect(given(world([service('tcp', 0, [53]), udp])).pending).toEqual([]);
});

test('a freed port is given to who waits for it', () => {
  const waiting = service('ewg', 1, [15021]);
  const gone = service('ingress', 0, [15021], having(...all));
  const { held } = plan(world([waiting, gone]), undefined);
  expect(given(world([waiting]), held).changes).toEqual([['ewg', ...all]]);
});

test('who holds a port keeps it, also from an older service that asks for it later', () => {
  const young = service('young', 1, [80], having(...all));
  const { held } = plan(world([young]), undefined);
  expect(given(world([young, service('old', 0, [80])]), held)).toEqual({ changes: [], pending: ['old'] });
});

test('a service whose port is changed to a held one loses its addresses', () => {
  const holder = service('ingress', 0, [15021], having(...all));
  const { held } = plan(world([holder, service('ewg', 1, [15022])]), undefined);
  const changed = service('ewg', 1, [15021], having(...all));
  expect(given(world([holder, changed]), held)).toEqual({ changes: [['ewg']], pending: ['ewg'] });
});

test('a host port of a pod is held on the node of that pod, until the pod ended', () => {
  const pod = (phase: string): PodObject => ({
    metadata: { name: 'p', namespace: 'x' },
    spec: { nodeName: 'node-1', containers: [{ ports: [{ hostPort: 80 }] }] },
    status: { phase },
  });
  const asked = [service('ingress', 0, [80])];
  expect(given(world(asked, { pods: [pod('Running')] })).changes).toEqual([
    ['ingress', '192.168.64.60', '192.168.64.62'],
  ]);
  expect(given(world(asked, { pods: [pod('Succeeded')] })).changes).toEqual([['ingress', ...all]]);
});

test('a service with local traffic only gets the nodes where it has ready endpoints', () => {
  const local = service('local', 0, [80], {
    spec: { type: 'LoadBalancer', externalTrafficPolicy: 'Local', ports: [{ port: 80 }] },
  });
  const slices = [
    {
      metadata: { name: 's', namespace: 'x', labels: { 'kubernetes.io/service-name': 'local' } },
      endpoints: [{ nodeName: 'node-2' }, { nodeName: 'node-0', conditions: { ready: false } }],
    },
  ];
  expect(given(world([local], { slices })).changes).toEqual([['local', '192.168.64.62']]);
});

test('a service that is no load balancer any more loses its addresses', () => {
  const changed = service('ingress', 0, [80], {
    spec: { type: 'ClusterIP', ports: [{ port: 80 }] },
    ...having(...all),
  });
  expect(given(world([changed, service('next', 1, [80])])).changes).toEqual([['ingress'], ['next', ...all]]);
});

test('a service of another load balancer class is left alone', () => {
  const other = service('other', 0, [80], {
    spec: { type: 'LoadBalancer', loadBalancerClass: 'example.com/other', ports: [{ port: 80 }] },
    ...having('192.0.2.1'),
  });
  expect(given(world([other]))).toEqual({ changes: [], pending: [] });
});
