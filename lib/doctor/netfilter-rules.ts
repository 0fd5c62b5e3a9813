/** A rule that is tried, and what it tells of the kernel. */
export interface TriedRule {
  table: 'raw' | 'nat' | 'filter';
  rule: string;
  /** The kernel modules that it takes, where they are not built in. */
  module: string;
  /** Whose rules are like that. */
  by: readonly string[];
}

const kubeProxy = 'kube-proxy';
const istio = 'Istio';
const portmap = 'portmap';
/** The policy engine inside k3s: nothing else of a lab has rules like these. */
export const kubeRouter = 'kube-router';

/** The set that rules of kube-router refer to. */
export const triedSet = 'doctor';

/**
 * The matches and targets of all that adds rules with iptables on a node or in a pod. Taken from the sources:
 * kube-proxy from pkg/proxy/iptables of Kubernetes 1.34, Istio from tools/istio-iptables/pkg/capture of 1.27 (without
 * its TPROXY mode, which no lab uses),
 * portmap from plugins/meta/portmap, kube-router from pkg/controllers/netpol of its version 2.
 */
export const triedRules: readonly TriedRule[] = [
  {
    table: 'raw',
    rule: '-A PREROUTING -p udp --sport 53 -j CT --zone 1',
    module: 'xt_CT',
    by: [istio],
  },
  {
    table: 'nat',
    rule: '-A OUTPUT -p tcp -j REDIRECT --to-ports 15001',
    module: 'xt_REDIRECT',
    by: [istio],
  },
  {
    table: 'nat',
    rule: '-A OUTPUT -m owner --uid-owner 1337 -j RETURN',
    module: 'xt_owner',
    by: [istio],
  },
  {
    table: 'nat',
    rule: '-A OUTPUT -p tcp -m multiport --dports 80,443 -j RETURN',
    module: 'xt_multiport',
    by: [istio, portmap],
  },
  {
    table: 'nat',
    rule: '-A PREROUTING -p tcp -m tcp --dport 80 -j RETURN',
    module: 'xt_tcpudp',
    by: [kubeProxy, istio, portmap],
  },
  {
    table: 'nat',
    rule: '-A PREROUTING -m comment --comment "service portals" -j RETURN',
    module: 'xt_comment',
    by: [kubeProxy, portmap, kubeRouter],
  },
  {
    table: 'nat',
    rule: '-A PREROUTING -m addrtype --dst-type LOCAL -j RETURN',
    module: 'xt_addrtype',
    by: [kubeProxy, portmap, kubeRouter],
  },
  {
    table: 'nat',
    rule: '-A PREROUTING -m statistic --mode random --probability 0.5 -j RETURN',
    module: 'xt_statistic',
    by: [kubeProxy],
  },
  {
    table: 'nat',
    rule: '-A PREROUTING -m recent --name doctor --rcheck --seconds 10800 --reap -j RETURN',
    module: 'xt_recent',
    by: [kubeProxy],
  },
  {
    table: 'nat',
    rule: '-A PREROUTING -p tcp -j DNAT --to-destination 10.42.0.2:80',
    module: 'xt_nat',
    by: [kubeProxy, portmap],
  },
  {
    table: 'nat',
    rule: '-A PREROUTING -m mark --mark 0x4000/0x4000 -j MARK --xor-mark 0x4000',
    module: 'xt_mark',
    by: [kubeProxy, portmap, istio, kubeRouter],
  },
  {
    table: 'nat',
    rule: '-A POSTROUTING -j MASQUERADE',
    module: 'xt_MASQUERADE',
    by: [kubeProxy, portmap, 'the nodes'],
  },
  {
    table: 'filter',
    rule: '-A FORWARD -m conntrack --ctstate INVALID -j DROP',
    module: 'xt_conntrack',
    by: [kubeProxy, istio, kubeRouter],
  },
  {
    table: 'filter',
    rule: '-A FORWARD -j REJECT --reject-with icmp-port-unreachable',
    module: 'ipt_REJECT',
    by: [kubeProxy, kubeRouter],
  },
  {
    table: 'filter',
    rule: `-A FORWARD -m set --match-set ${triedSet} src -j RETURN`,
    module: 'ip_set_hash_ip xt_set',
    by: [kubeRouter],
  },
  {
    table: 'filter',
    rule: '-A FORWARD -m limit --limit 10/minute --limit-burst 10 -j RETURN',
    module: 'xt_limit',
    by: [kubeRouter],
  },
  {
    table: 'filter',
    rule: '-A FORWARD -j NFLOG --nflog-group 100',
    module: 'xt_NFLOG',
    by: [kubeRouter],
  },
  {
    table: 'filter',
    rule: '-A FORWARD -m physdev --physdev-is-bridged -j RETURN',
    module: 'xt_physdev',
    by: [kubeRouter],
  },
];

/** One of each kind of expression that the network policies of an upstream lab are made of (network-policy/rules.ts). */
export const policyRules = `table inet doctor {
  chain judged {
    ip daddr . meta l4proto . th dport { 10.42.0.2 . tcp . 80 } return comment "a policy"
    reject with icmp type port-unreachable
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    ct state established,related accept
    ip saddr vmap { 10.42.0.2 : jump judged }
  }
}
`;
