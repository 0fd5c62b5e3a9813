import { expect } from 'vitest';
import { claims } from '#lib/claims/claim.ts';
import { hostsWithout } from '#lib/layers/hosts-file.ts';
import { externalAddresses } from '#lib/layers/gateway.ts';
import { istiodHost } from '#lib/layers/istiod-host.ts';
import { redirectsFlushed } from '#lib/layers/redirects.ts';
import { dig } from '#lib/probes/dig.ts';
import { serviceOf } from '#lib/probes/services.ts';

const claim = claims('03-vm', { layer: 'workload' });

claim('vm.dns-istiod-clusterip', {
  falsifier: redirectsFlushed,
  // the address of the gateway in /etc/hosts, which systemd-resolved answers with
  red: /expected '192\.168\.64\.6\d' to be '10\.43\./,
  witness: true,

  async proof(lab, seen) {
    const { kube, vm, settings } = lab;
    const name = `istiod-${settings.istioRevision}`;
    const [answer, service] = await Promise.all([
      vm.run(['dig', '+short', istiodHost(lab)]),
      kube.get({ apiVersion: 'v1', kind: 'Service', name, namespace: settings.istioNamespace }),
    ]);

    expect(service?.spec?.['clusterIP']).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    expect(seen('the answer on the VM', answer.stdout.trim())).toBe(service?.spec?.['clusterIP']);
  },
});

claim('vm.dns-answer-shape', {
  falsifier: redirectsFlushed,
  red: /ttl: 0\b/,

  async proof(lab, seen) {
    const answer = seen('the answer on the VM', await dig(lab.vm, istiodHost(lab)));

    expect(answer).toMatchObject({
      status: 'NOERROR',
      flags: ['qr', 'aa', 'rd'],
      warnings: ['recursion requested but not available'],
      records: [{ name: `${istiodHost(lab)}.`, type: 'A', ttl: 30 }],
      server: '127.0.0.53#53',
      transport: 'UDP',
    });
  },
});

claim('vm.dns-vs-hosts-split', {
  falsifier: async (lab) => hostsWithout(lab, ' istiod-', '/etc/hosts without istiod'),
  red: /by the name service istiod is at 10\.43\./,

  async proof(lab, seen) {
    const { kube, vm, settings } = lab;
    const ask = 'getent hosts "$0" | cut -d " " -f 1; echo --; dig +short "$0"';
    const [answers, { clusterIp }, [gateway]] = await Promise.all([
      vm.run(['bash', '-c', ask, istiodHost(lab)]),
      serviceOf(kube, settings.istioNamespace, `istiod-${settings.istioRevision}`),
      externalAddresses(lab, 'istio-eastwestgateway'),
    ]);
    const [byName = '', byDns = ''] = answers.stdout.split('--').map((part) => part.trim());

    expect(seen('getent', byName), `by the name service istiod is at ${byName}`).toBe(gateway);
    expect(seen('dig', byDns)).toBe(clusterIp);
    expect(byDns).not.toBe(byName);
  },
});
