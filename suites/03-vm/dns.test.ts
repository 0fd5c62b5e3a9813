import { expect } from 'vitest';
import { claims } from '#lib/claims/claim.ts';
import { istiodHost } from '#lib/layers/istiod-host.ts';
import { redirectsFlushed } from '#lib/layers/redirects.ts';
import { dig } from '#lib/probes/dig.ts';

const claim = claims('03-vm', { layer: 'workload' });

claim('vm.dns-istiod-clusterip', {
  falsifier: redirectsFlushed,

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
