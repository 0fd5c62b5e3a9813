/** Tests that are run together. */
export interface Group {
  name: string;
  tests: string[];
}

/** Tests that are not run, and why. */
export interface LeftOut {
  reason: string;
  tests: string[];
}

export interface JudgePlan {
  groups: Group[];
  leftOut: LeftOut[];
}

const chosen: readonly { name: string; fits: RegExp }[] = [
  { name: 'network-policy', fits: /^\[sig-network\] Netpol\b/ },
  { name: 'services', fits: /^\[sig-network\] Services\b.*\[Conformance\]/ },
  { name: 'dns', fits: /^\[sig-network\] DNS\b.*\[Conformance\]/ },
  { name: 'load-balancer', fits: /^\[sig-network\] (LoadBalancers\b|Services\b.*LoadBalancer)/ },
];

const reasons: readonly { fits: RegExp; reason: string }[] = [
  {
    fits: /\[Feature:SCTPConnectivity\]/,
    reason:
      'SCTP: a kernel without the sctp module (containers, CI runners) cannot open such a socket, so nothing could judge the rules',
  },
  { fits: /\[Feature:IPv6DualStack\]|IPv6/, reason: 'IPv6: the lab has IPv4 only' },
  {
    fits: /LoadBalancers ExternalTrafficPolicy: Local/,
    reason:
      'local traffic: they wait for an address before there is an endpoint; Klipper gives the nodes that have one',
  },
  {
    fits: /LoadBalancers.*switch session affinity.*Local/,
    reason: 'one address for all nodes: with Klipper each address is one node, and local traffic stays on it',
  },
  {
    fits: /LoadBalancers.*cleanup finalizer/,
    reason: 'finalizer: the balancer holds nothing outside of the cluster that would have to be cleaned up',
  },
  {
    fits: /LoadBalancers.*(rolling update|source ranges)/,
    reason: 'time: more than ten minutes each, most of it waiting',
  },
];

/**
 * Which of the tests that the e2e program knows are run, by group, and which of these groups are left out.
 *
 * @param only names of groups; all when empty
 */
export function judgePlan(titles: readonly string[], only: readonly string[] = []): JudgePlan {
  const groups: Group[] = [];
  const leftOut = new Map<string, string[]>();
  for (const { name, fits } of chosen.filter((one) => only.length === 0 || only.includes(one.name))) {
    const tests: string[] = [];
    for (const title of titles.filter((one) => fits.test(one))) {
      const reason = reasons.find((one) => one.fits.test(title))?.reason;
      if (reason === undefined) tests.push(title);
      else leftOut.set(reason, [...(leftOut.get(reason) ?? []), title]);
    }
    groups.push({ name, tests: tests.sort() });
  }
  return { groups, leftOut: [...leftOut].map(([reason, tests]) => ({ reason, tests })) };
}

export const groupNames = chosen.map(({ name }) => name);

/** The titles in what `e2e.test --list-tests` prints. */
export function titlesIn(list: string): string[] {
  return list.split('\n').flatMap((line) => /^\s+\S+\.go:\d+: (.+?)\s*$/.exec(line)?.[1] ?? []);
}

/** The regular expression that the e2e program takes to run exactly these tests. */
export function focusOn(tests: readonly string[]): string {
  const literal = (title: string): string => title.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
  // a title of a test may end in a blank
  return String.raw`(${tests.map(literal).join('|')})\s*$`;
}
