import { expect } from 'vitest';
import { claims } from '#lib/claims/claim.ts';
import { clusterEnvWithoutPorts } from '#lib/layers/generated-files.ts';
import { redirectsFlushed } from '#lib/layers/redirects.ts';
import { iptablesOf, parseSaved, rulesOf } from '#lib/probes/iptables.ts';

const claim = claims('03-vm', { layer: 'workload' });

claim('vm.iptables-redirect-rules', {
  falsifier: redirectsFlushed,
  red: /expected \[\] to deeply equal \[ '-p tcp -j ISTIO_INBOUND' \]/,

  async proof(lab, seen) {
    const { vm } = lab;
    const lines = await iptablesOf(vm);
    const chain = (name: string): string[] => seen(name, rulesOf(lines, name));
    const uid = (await vm.run(['id', '-u', 'istio-proxy'])).stdout.trim();

    expect(chain('PREROUTING')).toEqual(['-p tcp -j ISTIO_INBOUND']);
    expect(chain('ISTIO_INBOUND')).toEqual([
      '-p tcp --dport 15008 -j RETURN',
      '-p tcp --dport 8000 -j ISTIO_IN_REDIRECT',
    ]);
    expect(chain('ISTIO_IN_REDIRECT')).toEqual(['-p tcp -j REDIRECT --to-ports 15006']);
    // to 1.24 TCP and UDP enter the chain by a rule each, from 1.25 all by one
    expect(chain('OUTPUT').some((rule) => /^(-p tcp )?-j ISTIO_OUTPUT$/.test(rule))).toBe(true);
    // the rule for the group has the number of the user (tools/…/config.go), which need not be that of its group
    expect(chain('ISTIO_OUTPUT')).toEqual(
      expect.arrayContaining([
        `-m owner --uid-owner ${uid} -j RETURN`,
        `-m owner --gid-owner ${uid} -j RETURN`,
        '-j ISTIO_REDIRECT',
      ]),
    );
    expect(chain('ISTIO_REDIRECT')).toEqual(['-p tcp -j REDIRECT --to-ports 15001']);

    // a group without ports: everything that comes in, except what the VM must keep for itself
    const env = await clusterEnvWithoutPorts(lab);
    const dry = await vm.run(
      ['bash', '-c', 'set -a; . /dev/stdin; exec /usr/local/bin/pilot-agent istio-iptables --dry-run'],
      { input: env },
    );
    const [would = ''] = dry.stdout.split('ip6tables-restore');
    expect(env.split('\n')).toEqual(
      expect.arrayContaining([
        "ISTIO_INBOUND_PORTS='*'",
        expect.stringMatching(/^ISTIO_LOCAL_EXCLUDE_PORTS='?22,15090,15021,15020'?$/),
      ]),
    );
    expect(
      seen('ISTIO_INBOUND without ports in the group', rulesOf(parseSaved(would), 'ISTIO_INBOUND')),
    ).toEqual([
      ...[15_008, 22, 15_090, 15_021, 15_020].map((port) => `-p tcp --dport ${String(port)} -j RETURN`),
      '-p tcp -j ISTIO_IN_REDIRECT',
    ]);
  },
});

/**
 * Which chain holds the rules: ISTIO_OUTPUT_DNS is new in 1.25 (tools/istio-iptables/pkg/constants);
 * 1.24 has them in ISTIO_OUTPUT (dns-uid-gid.golden of 1.24.0), releases before it in OUTPUT.
 */
function dnsChain(version: string): string {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return version === 'master' || major > 1 || minor >= 25 ? 'ISTIO_OUTPUT_DNS' : 'ISTIO_OUTPUT';
}

claim('vm.iptables-dns-rule', {
  falsifier: redirectsFlushed,
  red: /expected \[\] to deeply equal/,

  async proof({ vm, settings }, seen) {
    const resolvers = await vm.read('/etc/resolv.conf');
    const rules = rulesOf(await iptablesOf(vm), dnsChain(settings.istioVersion));

    expect(resolvers.match(/^nameserver .*$/gm)).toEqual(['nameserver 127.0.0.53']);
    expect(seen(`rules of ${dnsChain(settings.istioVersion)}`, rules)).toEqual(
      expect.arrayContaining(
        ['udp', 'tcp'].map(
          (protocol) => `-d 127.0.0.53/32 -p ${protocol} --dport 53 -j REDIRECT --to-ports 15053`,
        ),
      ),
    );
  },
});
