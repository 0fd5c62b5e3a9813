import { expect, test } from 'vitest';
import type { Catalogue, Claim } from './catalogue.ts';
import type { Proof } from './implemented.ts';
import { filesFor, select, type Pattern } from './selection.ts';

const suiteOf = { cluster: '01-cluster', policy: '05-policy' } as const;
const ids = ['cluster.a', 'cluster.b', 'cluster.later', 'policy.a', 'policy.b', 'policy.later'];
const known = {
  claims: ids.map((id) => ({ id, suite: suiteOf[id.split('.')[0] as keyof typeof suiteOf] }) as Claim),
} as unknown as Catalogue;
const proofs: Proof[] = [
  { id: 'cluster.a', file: '01-cluster/nodes.test.ts' },
  { id: 'cluster.b', file: '01-cluster/nodes.test.ts' },
  { id: 'policy.a', file: '05-policy/mtls.test.ts' },
  { id: 'policy.b', file: '05-policy/network.test.ts' },
];
const all = [...new Set(proofs.map(({ file }) => file))];
const pattern = (written: string): Pattern => ({ written, test: (id) => new RegExp(written).test(id) });
const asked = (filters: string[], files: string[], written?: string) => {
  const { ids: found, partial } = select(
    { filters, files, pattern: written === undefined ? undefined : pattern(written) },
    known,
    proofs,
  );
  return { ids: [...found], partial };
};

test('nothing special asked: the whole catalogue', () => {
  expect(asked([], all)).toEqual({ ids, partial: false });
});

test('a suite: its claims, with those that nobody implemented yet', () => {
  const filters = ['suites/05-policy'];
  expect(asked(filters, all.slice(1))).toEqual({
    ids: ['policy.a', 'policy.b', 'policy.later'],
    partial: true,
  });
});

test('a file: what it proves', () => {
  expect(asked(['./suites/05-policy/mtls'], all.slice(1, 2))).toEqual({ ids: ['policy.a'], partial: true });
});

test('a pattern: what it fits, implemented or not', () => {
  expect(asked([], all.slice(1), 'policy\\.')).toEqual({
    ids: ['policy.a', 'policy.b', 'policy.later'],
    partial: true,
  });
  expect(filesFor(pattern('\\.a$'), known, proofs)).toEqual([
    '01-cluster/nodes.test.ts',
    '05-policy/mtls.test.ts',
  ]);
});

test('a pattern within a suite', () => {
  expect(asked(['01-cluster'], all.slice(0, 1), '\\.a$')).toEqual({ ids: ['cluster.a'], partial: true });
});

test.each([
  [
    ['suites/04-traffic'],
    [],
    undefined,
    'No test file fits "suites/04-traffic". Near it: suites/05-policy, suites/01-cluster',
  ],
  [['01-cluster', 'nope'], all.slice(0, 1), undefined, 'No test file fits "nope".'],
  [
    ['01-cluster'],
    [],
    'policy.a',
    'is in 01-cluster; it is elsewhere: policy.a in suites/05-policy/mtls.test.ts.',
  ],
  [[], [], 'policy.a', 'is in the chosen projects; it is elsewhere: policy.a'],
])('%j with %j and %j is refused', (filters, files, written, message) => {
  expect(() => asked(filters, files, written)).toThrow(message);
});

test('a pattern that fits no claim, or none that is implemented, is refused', () => {
  expect(() => filesFor(pattern('policy.x'), known, proofs)).toThrow(
    'No claim of the catalogue fits -t "policy.x". Near it: policy.',
  );
  expect(() => filesFor(pattern('later'), known, proofs)).toThrow(
    'not yet implemented: cluster.later, policy.later.',
  );
});
