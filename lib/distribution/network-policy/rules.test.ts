import { expect, test } from 'vitest';
import type { PodObject, PolicyObject, PolicyState } from './objects.ts';
import { noRules, rules } from './rules.ts';

const deny: PolicyObject['spec'] = { podSelector: {}, policyTypes: ['Ingress', 'Egress'] };

const pod = (
  name: string,
  ip: string,
  more: Partial<PodObject['spec']> = {},
  namespace = 'x',
): PodObject => ({
  metadata: { name, namespace, labels: { app: name } },
  spec: { nodeName: 'one', containers: [], ...more },
  status: { phase: 'Running', podIP: ip },
});

const state = (pods: PodObject[], ...specs: PolicyObject['spec'][]): PolicyState => ({
  nodes: ['one', 'two'],
  pods,
  namespaces: ['x', 'y'].map((name) => ({ metadata: { name, labels: { space: name } } })),
  policies: specs.map((spec, index) => ({
    metadata: { name: `p${String(index)}`, namespace: 'x' },
    ...(spec === undefined ? {} : { spec }),
  })),
});

const lines = (script = ''): string[] => script.split('\n').map((line) => line.trim());
const one = (world: PolicyState): string[] => lines(rules(world).get('one'));

test('without policies a node has an empty table, which takes the place of the one before', () => {
  expect(rules(state([pod('a', '10.42.1.2')])).get('one')).toBe(
    `${noRules}table inet vmconformance_netpol {\n}\n`,
  );
});

test('a denied pod is rejected in both stages, and what is established passes first', () => {
  const script = rules(state([pod('a', '10.42.1.2')], deny)).get('one');
  expect(script).toBe(`${noRules}table inet vmconformance_netpol {
  chain egress_0 {
    reject with icmp type port-unreachable
  }
  chain ingress_0 {
    reject with icmp type port-unreachable
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    ct state established,related accept
    ip saddr vmap { 10.42.1.2 : jump egress_0 }
    ip daddr vmap { 10.42.1.2 : jump ingress_0 }
  }
  chain input {
    type filter hook input priority filter; policy accept;
    ct state established,related accept
    ip saddr vmap { 10.42.1.2 : jump egress_0 }
  }
}
`);
});

test('only pods of the node are judged on it', () => {
  const scripts = rules(state([pod('a', '10.42.1.2'), pod('b', '10.42.2.2', { nodeName: 'two' })], deny));
  expect(lines(scripts.get('one'))).toContain('ip daddr vmap { 10.42.1.2 : jump ingress_0 }');
  expect(lines(scripts.get('two'))).toContain('ip daddr vmap { 10.42.2.2 : jump ingress_0 }');
});

test('policy types are derived when they are not given', () => {
  expect(one(state([pod('a', '10.42.1.2')], {})).join()).not.toContain('egress_');
  expect(one(state([pod('a', '10.42.1.2')], { egress: [{}] })).join()).toContain('egress_0');
});

test('a rule without peers and ports lets everything through', () => {
  expect(one(state([pod('a', '10.42.1.2')], { ingress: [{}] }))).toContain('return comment "x/p0"');
});

test('peers are looked up by both selectors, and a peer that nothing fits lets nothing through', () => {
  const pods = [pod('a', '10.42.1.2'), pod('b', '10.42.1.3', {}, 'y'), pod('c', '10.42.1.4', {}, 'y')];
  const from = [
    { namespaceSelector: { matchLabels: { space: 'y' } }, podSelector: { matchLabels: { app: 'b' } } },
  ];
  expect(one(state(pods, { ingress: [{ from }] }))).toContain('ip saddr { 10.42.1.3 } return comment "x/p0"');
  const nobody = [{ podSelector: { matchLabels: { app: 'b' } } }];
  expect(one(state(pods, { ingress: [{ from: nobody }] })).join()).not.toContain('return');
});

test('policies add up: pods under the same policies share a chain, others do not', () => {
  const script = one(
    state(
      [pod('a', '10.42.1.2'), pod('b', '10.42.1.3'), pod('c', '10.42.1.4')],
      {},
      { podSelector: { matchLabels: { app: 'c' } }, ingress: [{}] },
    ),
  );
  expect(script).toContain(
    'ip daddr vmap { 10.42.1.2 : jump ingress_0, 10.42.1.3 : jump ingress_0, 10.42.1.4 : jump ingress_1 }',
  );
});

test('a named ingress port is the number that each pod under the policy gives it', () => {
  const ports = (containerPort: number) => ({ containers: [{ ports: [{ name: 'web', containerPort }] }] });
  const pods = [pod('a', '10.42.1.2', ports(80)), pod('b', '10.42.1.3', ports(8080))];
  expect(one(state(pods, { ingress: [{ ports: [{ port: 'web' }] }] }))).toContain(
    'ip daddr . meta l4proto . th dport { 10.42.1.2 . tcp . 80, 10.42.1.3 . tcp . 8080 } return comment "x/p0"',
  );
});

test('the policy of the article takes the VM from the pods of a namespace, and other pods not', () => {
  const egress = [
    {
      to: [
        {
          namespaceSelector: {
            matchExpressions: [{ key: 'namespace', operator: 'NotIn', values: ['vmns'] }],
          },
        },
      ],
    },
  ];
  const script = one(
    state([pod('a', '10.42.1.2'), pod('b', '10.42.2.2', { nodeName: 'two' }, 'y')], {
      podSelector: {},
      policyTypes: ['Egress'],
      egress,
    }),
  );
  expect(script).toContain('ip daddr { 10.42.1.2, 10.42.2.2 } return comment "x/p0"');
  expect(script).toContain('reject with icmp type port-unreachable');
  expect(script.join()).not.toContain('ingress');
});
