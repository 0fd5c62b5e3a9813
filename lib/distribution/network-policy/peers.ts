import type { Peer } from './objects.ts';
import type { Pod } from './pods.ts';
import { fits } from './selector.ts';

/**
 * The nft expressions of which one must fit for the peers of a policy rule to fit; `['']` fits every packet,
 * an empty list none.
 *
 * @param side the end of the packet where the peer is: saddr for ingress, daddr for egress
 * @param namespace where the policy is
 */
export function peerMatches(
  peers: readonly Peer[] | undefined,
  side: 'saddr' | 'daddr',
  namespace: string,
  pods: readonly Pod[],
): string[] {
  if (!peers || peers.length === 0) return [''];
  const blocks = peers.flatMap(({ ipBlock }) => (ipBlock ? blockMatch(ipBlock, side) : []));
  const chosen = pods.filter((pod) => peers.some((peer) => !peer.ipBlock && isPeer(pod, peer, namespace)));
  if (chosen.length === 0) return blocks;
  return [`ip ${side} { ${chosen.map(({ ip }) => ip).join(', ')} }`, ...blocks];
}

function isPeer(pod: Pod, { podSelector, namespaceSelector }: Peer, namespace: string): boolean {
  const inNamespace = namespaceSelector
    ? fits(namespaceSelector, pod.namespaceLabels)
    : pod.namespace === namespace;
  return inNamespace && (!podSelector || fits(podSelector, pod.labels));
}

/** No pod of this cluster has an IPv6 address, so an IPv6 block fits nothing. */
function blockMatch(
  { cidr, except = [] }: { cidr: string; except?: readonly string[] },
  side: string,
): string[] {
  if (cidr.includes(':')) return [];
  const but = except.filter((one) => !one.includes(':')).map((one) => ` ip ${side} != ${network(one)}`);
  return [`ip ${side} ${network(cidr)}${but.join('')}`];
}

/** The network of a CIDR whose host part need not be zero: 10.1.2.3/8 is 10.0.0.0/8. */
export function network(cidr: string): string {
  const [address = '', length = '32'] = cidr.split('/');
  const bits = Number(length);
  const keep = (part: number, index: number): number => {
    const kept = Math.min(8, Math.max(0, bits - index * 8));
    return part & (0xff << (8 - kept)) & 0xff;
  };
  return `${address
    .split('.')
    .map((part, index) => keep(Number(part), index))
    .join('.')}/${String(bits)}`;
}
