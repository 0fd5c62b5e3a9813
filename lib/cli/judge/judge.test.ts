import { expect, test } from 'vitest';
import { focusOn, judgePlan, titlesIn } from './plan.ts';
import { countsOf, resultsOf, table, type GinkgoReport } from './results.ts';

const list = `The following spec names can be used with 'ginkgo run --focus/skip':
    k8s.io/kubernetes@v1.34.4/test/e2e/network/netpol/network_policy.go:121: [sig-network] Netpol NetworkPolicy should deny [Feature:NetworkPolicy]
    k8s.io/kubernetes@v1.34.4/test/e2e/network/netpol/network_policy.go:1338: [sig-network] Netpol [Feature:SCTPConnectivity] [LinuxOnly] should deny [Feature:NetworkPolicy]
    k8s.io/kubernetes@v1.34.4/test/e2e/network/dns.go:54: [sig-network] DNS should provide DNS for the cluster [Conformance]
    k8s.io/kubernetes@v1.34.4/test/e2e/network/dns.go:60: [sig-network] DNS should provide DNS for the cluster [Provider:GCE]
    k8s.io/kubernetes@v1.34.4/test/e2e/network/service.go:730: [sig-network] Services should provide secure master service [Conformance]
    k8s.io/kubernetes@v1.34.4/test/e2e/network/loadbalancer.go:1: [sig-network] LoadBalancers [Feature:LoadBalancer] should be able to change the type and ports of a TCP service [Slow]
    k8s.io/kubernetes@v1.34.4/test/e2e/apps/job.go:1: [sig-apps] Job should run [Conformance]

`;

const titles = titlesIn(list);

test('titles are read from the list of the e2e program', () => {
  expect(titles).toHaveLength(7);
  expect(titles[4]).toBe('[sig-network] Services should provide secure master service [Conformance]');
});

test('network policies, load balancers, and what conformance asks of services and DNS are run; SCTP is left out by name', () => {
  const { groups, leftOut } = judgePlan(titles);
  expect(groups.map(({ name, tests }) => [name, tests.length])).toEqual([
    ['network-policy', 1],
    ['services', 1],
    ['dns', 1],
    ['load-balancer', 1],
  ]);
  expect(leftOut.map(({ reason, tests }) => [reason.split(':')[0], ...tests])).toEqual([
    [
      'SCTP',
      '[sig-network] Netpol [Feature:SCTPConnectivity] [LinuxOnly] should deny [Feature:NetworkPolicy]',
    ],
  ]);
  expect(judgePlan(titles, ['dns']).groups.map(({ name }) => name)).toEqual(['dns']);
});

test('the focus fits the tests that were asked for and no others', () => {
  const wanted = ['[sig-network] A should (not) be $1 [Conformance]', '[sig-network] B'];
  const focus = new RegExp(focusOn(wanted));
  expect(wanted.every((title) => focus.test(`Kubernetes e2e suite ${title}`))).toBe(true);
  expect(focus.test('Kubernetes e2e suite [sig-network] B ')).toBe(true);
  expect(focus.test('Kubernetes e2e suite [sig-network] B and more')).toBe(false);
});

test('only a test that the report calls passed has passed', () => {
  const spec = (text: string, State: string, RunTime = 2e9) => ({
    ContainerHierarchyTexts: ['[sig-network] A'],
    LeafNodeText: text,
    State,
    RunTime,
    ...(State === 'passed' ? {} : { Failure: { Message: `because of ${text}\nand more` } }),
  });
  const report: GinkgoReport = [
    {
      SpecReports: [
        spec('one', 'passed'),
        spec('two', 'failed'),
        spec('three', 'timedout'),
        spec('four', 'skipped'),
        spec('five', 'skipped', 0),
      ],
    },
  ];
  const asked = ['one', 'two', 'three', 'four', 'five', 'six'].map((text) => `[sig-network] A ${text}`);
  const judged = resultsOf('group', asked, report);
  expect(judged.map(({ verdict }) => verdict)).toEqual([
    'passed',
    'failed',
    'failed',
    'skipped',
    'not-run',
    'not-run',
  ]);
  expect(countsOf(judged)).toEqual({ passed: 1, failed: 2, skipped: 1, 'not-run': 2 });
  expect(table(judged)).toContain('group: 1 passed, 2 failed, 3 not judged, 8 s');
  expect(table(judged)).toMatch(/failed +2\.0 s {2}\[sig-network\] A two\n +because of two\n/);
});
