import { expect, test } from 'vitest';
import type { FalsifierMap } from '#lib/claims/falsifier-map.ts';
import { likelyCause } from './cause.ts';
import type { Result } from './results.ts';

type Seen = Pick<Result, 'id' | 'verdict' | 'layer' | 'blockedBy'>;

const map: FalsifierMap = {
  'gw.exposed': { layer: 'gateway', alsoRed: ['vm.certificate', 'vm.registered', 'traffic.to-vm'] },
  'vm.registered': { layer: 'workload', alsoRed: ['traffic.to-vm'] },
  'traffic.to-vm': { layer: 'apps', alsoRed: [] },
};

const layers: Readonly<Record<string, string>> = {
  'cluster.nodes': 'cluster',
  'gw.exposed': 'gateway',
  'vm.certificate': 'workload',
  'vm.registered': 'workload',
  'traffic.to-vm': 'apps',
};

/** The results of a run in which these are red and the others passed. */
const run = (...red: readonly string[]): Seen[] =>
  Object.entries(layers).map(([id, layer]) => ({
    id,
    layer,
    verdict: red.includes(id) ? 'failed' : 'passed',
  }));

test.each([
  ['gateway', ['gw.exposed', 'vm.certificate', 'vm.registered', 'traffic.to-vm']],
  ['gateway', ['gw.exposed', 'vm.certificate', 'traffic.to-vm']],
  ['workload', ['vm.registered', 'traffic.to-vm']],
  ['apps', ['traffic.to-vm']],
])('names layer %s when %j are red', (layer, red) => {
  expect(likelyCause(run(...red), map)).toMatchObject({ layer, claims: red });
});

test('says in one line what it is most like', () => {
  const cause = likelyCause(run('cluster.nodes', 'vm.registered', 'traffic.to-vm'), map);
  expect(cause?.line).toBe(
    'layer workload: what is red is most like what went red when vm.registered was falsified (2 of 2: vm.registered, traffic.to-vm; 1 more is red)',
  );
});

test('what was not looked at speaks neither for nor against', () => {
  const only = run('gw.exposed').filter(({ id }) => id === 'gw.exposed');
  expect(likelyCause(only, map)).toMatchObject({ layer: 'gateway', claims: ['gw.exposed'] });
});

test('of two that explain as much, the one on the lower layer', () => {
  const alike = {
    'b.one': { layer: 'policy', alsoRed: ['x.y'] },
    'c.one': { layer: 'istio', alsoRed: ['x.y'] },
  };
  const red: Seen[] = [{ id: 'x.y', verdict: 'failed', layer: 'policy' }];
  expect(likelyCause(red, alike)?.layer).toBe('istio');
});

test('of two that explain as much, the one whose own claim is red', () => {
  const alike = {
    'c.one': { layer: 'istio', alsoRed: ['x.y'] },
    'x.y': { layer: 'policy', alsoRed: [] },
  };
  const red: Seen[] = [{ id: 'x.y', verdict: 'failed', layer: 'policy' }];
  expect(likelyCause(red, alike)?.layer).toBe('policy');
});

test('with an empty map, the lowest layer on which a claim is red', () => {
  const cause = likelyCause(run('traffic.to-vm', 'vm.certificate', 'vm.registered'), {});
  expect(cause).toEqual({
    layer: 'workload',
    line: 'layer workload: the lowest on which a claim is red (vm.certificate, vm.registered)',
    claims: ['vm.certificate', 'vm.registered'],
  });
});

test('a layer that did not come up is the cause, unless one below it is broken', () => {
  const blocked: Seen[] = ['p.a', 'p.b'].map((id) => ({ id, verdict: 'blocked', blockedBy: 'workload' }));
  expect(likelyCause(blocked, map)).toEqual({
    layer: 'workload',
    line: 'layer workload: it is not up, which blocks p.a, p.b',
    claims: ['p.a', 'p.b'],
  });
  expect(likelyCause([...run('traffic.to-vm'), ...blocked], map)?.layer).toBe('workload');
  expect(likelyCause([...run('cluster.nodes'), ...blocked], map)?.layer).toBe('cluster');
});

test('a claim whose test never reported stands on no layer that is known', () => {
  const [cause] = [likelyCause([{ id: 'a.b', verdict: 'broken' }], {})];
  expect(cause?.layer).toBe('unknown');
});

test('nothing red, no cause', () => {
  expect(likelyCause(run(), map)).toBeUndefined();
});
