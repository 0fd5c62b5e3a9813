import type { Labels, Peer, PolicyObject, PolicyPort, PolicyState } from './objects.ts';
import { peerMatches } from './peers.ts';
import { addressedPods, type Pod } from './pods.ts';
import { portMatches } from './ports.ts';
import { fits } from './selector.ts';

/** The nftables table that holds the rules, one on each node. */
export const table = 'inet vmconformance_netpol';

/** The script that takes the rules away, whether there are any or not. */
export const noRules = `table ${table}\ndelete table ${table}\n`;

type Direction = 'Ingress' | 'Egress';

interface Chains {
  /** Text of a chain, by name. */
  bodies: Map<string, string[]>;
  /** Which chain judges a pod, by the pod's address. */
  verdicts: [string, string][];
}

/**
 * The nft script of each node. A script replaces the whole table at once.
 *
 * Verdicts are made in two stages, egress by the source and ingress by the destination, and only for pods of the
 * node; established connections pass before, as with kube-router. A node's own packets to its pods leave by the
 * output hook, which has no rules, so kubelet's probes always pass.
 */
export function rules(state: PolicyState): Map<string, string> {
  const pods = addressedPods(state.pods, state.namespaces);
  return new Map(state.nodes.map((node) => [node, script(node, pods, state.policies)]));
}

function script(node: string, pods: readonly Pod[], policies: readonly PolicyObject[]): string {
  const egress = chains('Egress', node, pods, policies);
  const ingress = chains('Ingress', node, pods, policies);
  const judged: string[] = [];
  if (egress.verdicts.length > 0) judged.push(`ip saddr vmap { ${verdictMap(egress)} }`);
  if (ingress.verdicts.length > 0) judged.push(`ip daddr vmap { ${verdictMap(ingress)} }`);
  const chain = (name: string, body: readonly string[]): string =>
    `  chain ${name} {\n    ${body.join('\n    ')}\n  }\n`;
  let text = `${noRules}table ${table} {\n`;
  for (const [name, body] of [...egress.bodies, ...ingress.bodies]) text += chain(name, body);
  const hook = (name: string, stages: readonly string[]): string =>
    chain(name, [
      `type filter hook ${name} priority filter; policy accept;`,
      'ct state established,related accept',
      ...stages,
    ]);
  if (judged.length > 0) text += hook('forward', judged);
  // what a pod sends to its own node does not come through forward
  if (egress.verdicts.length > 0) text += hook('input', judged.slice(0, 1));
  return `${text}}\n`;
}

const verdictMap = ({ verdicts }: Chains): string =>
  verdicts.map(([ip, chain]) => `${ip} : jump ${chain}`).join(', ');

/** One chain for each set of policies that some pod of the node is under in this direction. */
function chains(
  direction: Direction,
  node: string,
  pods: readonly Pod[],
  policies: readonly PolicyObject[],
): Chains {
  const local = pods.filter((pod) => pod.node === node);
  const inDirection = policies
    .filter((policy) => typesOf(policy).includes(direction))
    .sort((a, b) => titleOf(a).localeCompare(titleOf(b)));
  const result: Chains = { bodies: new Map(), verdicts: [] };
  const named = new Map<string, string>();
  for (const pod of local) {
    const under = inDirection.filter((policy) => applies(policy, pod));
    if (under.length === 0) continue;
    const key = under.map(titleOf).join(' ');
    const name = named.get(key) ?? `${direction.toLowerCase()}_${String(named.size)}`;
    if (!named.has(key)) {
      named.set(key, name);
      result.bodies.set(name, [
        ...under.flatMap((policy) => permissions(policy, direction, pods, local)),
        'reject with icmp type port-unreachable',
      ]);
    }
    result.verdicts.push([pod.ip, name]);
  }
  return result;
}

/** The lines that let through what a policy allows. */
function permissions(
  policy: PolicyObject,
  direction: Direction,
  pods: readonly Pod[],
  local: readonly Pod[],
): string[] {
  const egress = direction === 'Egress';
  const allowed: { peers: readonly Peer[] | undefined; ports: readonly PolicyPort[] | undefined }[] = egress
    ? (policy.spec?.egress ?? []).map(({ to, ports }) => ({ peers: to, ports }))
    : (policy.spec?.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports }));
  const namespace = policy.metadata.namespace ?? 'default';
  return allowed.flatMap(({ peers, ports }) => {
    const portTexts = portMatches(ports, egress ? pods : local.filter((pod) => applies(policy, pod)));
    return peerMatches(peers, egress ? 'daddr' : 'saddr', namespace, pods).flatMap((peer) =>
      portTexts.map((port) =>
        [peer, port, `return comment "${titleOf(policy).slice(0, 120)}"`].filter(Boolean).join(' '),
      ),
    );
  });
}

function applies(
  { metadata, spec }: PolicyObject,
  { namespace, labels }: { namespace: string; labels: Labels },
): boolean {
  return (metadata.namespace ?? 'default') === namespace && fits(spec?.podSelector ?? {}, labels);
}

function typesOf({ spec }: PolicyObject): readonly string[] {
  if (spec?.policyTypes && spec.policyTypes.length > 0) return spec.policyTypes;
  return spec?.egress && spec.egress.length > 0 ? ['Ingress', 'Egress'] : ['Ingress'];
}

const titleOf = ({ metadata }: PolicyObject): string => `${metadata.namespace ?? 'default'}/${metadata.name}`;
