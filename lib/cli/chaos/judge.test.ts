import { expect, test } from 'vitest';
import { catalogue } from '#lib/claims/catalogue.ts';
import type { Conformance } from '#lib/report/conformance.ts';
import { deeds } from './deeds.ts';
import { rebuilt, wrongAfter, wrongAfterDeath, wrongDuring, type Ran } from './judge.ts';

const at = (second: number): string => new Date(second * 1000).toISOString();
type Claim = { id: string; verdict: string; startedAt: string; durationMs: number };

function ran(code: number, claims: readonly Claim[], said = '', totals: object = {}): Ran {
  const count = (verdict: string): number => claims.filter((claim) => claim.verdict === verdict).length;
  const verdicts = ['passed', 'failed', 'broken', 'blocked'];
  const counted = Object.fromEntries(verdicts.map((verdict) => [verdict, count(verdict)]));
  const report = { totals: { ...counted, ...totals }, errors: [], claims } as unknown as Conformance;
  return { code, ms: 1000, silentMs: 0, report, said };
}

const away = { from: 10_000, to: 20_000 };
const claim = (id: string, verdict: string, from: number, seconds: number): Claim => ({
  id,
  verdict,
  startedAt: at(from),
  durationMs: seconds * 1000,
});

test('a pass is by chance when what it looks at was away all the time', () => {
  const all = [
    claim('vm.before', 'passed', 8, 3),
    claim('vm.within', 'passed', 12, 3),
    claim('vm.waited', 'passed', 15, 10),
    claim('istio.other', 'passed', 12, 3),
    claim('vm.red', 'failed', 12, 3),
  ];
  expect(wrongDuring(ran(1, all), away, /^vm\./)).toEqual([
    'vm.within passed although what it looks at was away all the time',
  ]);
});

test.each([
  ['a red run with status 0', ran(0, [claim('vm.red', 'failed', 1, 1)]), 'its status is 0, with 1 red'],
  ['a green run with status 1', ran(1, [claim('vm.a', 'passed', 1, 1)]), 'its status is 1, with 0 red'],
  [
    'a lost verdict',
    ran(0, [claim('vm.a', 'passed', 1, 1)], '', { passed: 2 }),
    'its verdicts do not add up',
  ],
  [
    'no report',
    { ...ran(137, [], 'some\nKilled\n'), report: undefined },
    'it ended with status 137 and without a report: some Killed',
  ],
])('%s is wrong', (_, run, wrong) => {
  expect(wrongDuring(run, away, /^vm\./)).toEqual([wrong]);
});

const etcd = { node: 'k3s-master', program: 'etcd', at: at(12), ranMs: 9000, signal: 9, said: '' };

function ranWithDeath(
  code: number,
  claims: readonly object[],
  restarts: readonly object[],
  silentMs = 0,
): Ran {
  const run = ran(code, claims as Claim[]);
  return { ...run, silentMs, report: { ...run.report, restarts } as Conformance };
}

test('a run in which a program dies names it wherever that counts', () => {
  const passed = { ...claim('vm.a', 'passed', 10, 5), disturbedBy: ['etcd on k3s-master ended'] };
  const broken = { ...claim('vm.b', 'broken', 10, 5), reason: 'etcd on k3s-master ended by signal KILL' };
  const death = { ...etcd, claims: ['vm.a'] };
  expect(wrongAfterDeath(ranWithDeath(1, [passed, broken], [death]), 'etcd on k3s-master')).toEqual([]);
});

test.each([
  [
    'a death that is not told',
    [claim('vm.a', 'passed', 1, 1)],
    [],
    'its report does not tell that the program died',
  ],
  [
    'a claim that is red for no reason',
    [{ ...claim('vm.a', 'failed', 1, 1), reason: 'expected 503 to be 200' }],
    [{ ...etcd, claims: [] }],
    'vm.a was failed without its name',
  ],
  [
    'a pass that nobody doubts',
    [claim('vm.a', 'passed', 10, 5)],
    [{ ...etcd, claims: ['vm.a'] }],
    'vm.a passed as if nothing had died',
  ],
])('%s is wrong', (_, claims, restarts, wrong) => {
  const code = claims.some(({ verdict }) => verdict !== 'passed') ? 1 : 0;
  expect(wrongAfterDeath(ranWithDeath(code, claims, restarts), 'etcd on k3s-master')).toEqual([wrong]);
});

test('silence is wrong', () => {
  const run = ranWithDeath(0, [claim('vm.a', 'passed', 1, 1)], [{ ...etcd, claims: [] }], 21_000);
  expect(wrongAfterDeath(run, 'etcd on k3s-master')).toEqual(['it said nothing for 21.0 s']);
});

const said = [
  '18:00:00 Machines: three nodes and the VM: what an earlier run built does not stand any more (vm does not run)',
  '18:00:05 [1/7] Machines: three nodes and the VM (about 3.0 s)',
].join('\n');

test('the next run is green, and rebuilds only what it may', () => {
  const green = [claim('vm.a', 'passed', 1, 1)];
  expect(rebuilt(ran(0, green, said))).toEqual(['Machines: three nodes and the VM (vm does not run)']);
  expect(wrongAfter(ran(0, green, said), /does not run/)).toEqual([]);
  expect(wrongAfter(ran(0, green, said))).toEqual([
    'the next run rebuilt Machines: three nodes and the VM (vm does not run)',
  ]);
  expect(wrongAfter(ran(1, [claim('vm.a', 'blocked', 1, 1)]))).toEqual(['vm.a was blocked in the next run']);
});

test('every deed looks at claims of the catalogue', () => {
  const known = catalogue();
  for (const { during, after } of deeds)
    for (const id of `${during}|${after}`.split('|')) expect(known.has(id), id).toBe(true);
});
