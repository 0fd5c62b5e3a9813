import { expect } from 'vitest';
import { ours } from '#lib/base/deadlines.ts';
import { claims } from '#lib/claims/claim.ts';
import { otherOnVm } from '#lib/layers/other-content.ts';
import { sidecarWith } from '#lib/layers/sidecar-with.ts';
import { agentLog, logSinceStart, ttlOf } from '#lib/probes/agent-log.ts';
import { certificateIn, envoySecrets } from '#lib/probes/certificates.ts';

const claim = claims('03-vm', { layer: 'workload' });

// The agent keeps its certificate in memory, so each of its starts is a first issue.

const hours = 3600;

claim('vm.cert-issued-24h', {
  falsifier: async (lab) => sidecarWith(lab, 'SECRET_TTL=1h0m0s'),
  red: /expected 35\d\d(\.\d+)? to be greater than or equal to 86340/,
  within: ours.claimWithStarts,

  async proof({ vm }, seen) {
    const [log, onDisk] = await Promise.all([
      logSinceStart(vm),
      certificateIn(vm, '/etc/certs/cert-chain.pem'),
    ]);
    const issued = log.findIndex((line) => line.includes('generated new workload certificate'));
    const fromCache = log
      .slice(issued)
      .find((line) => line.includes('returned workload certificate from cache'));
    const lifetime = seen('seconds from notBefore to notAfter', (onDisk.notAfter - onDisk.notBefore) / 1000);

    const ttl = ttlOf(seen('the certificate is issued', log[issued] ?? 'no such line'));
    expect(ttl).toBeGreaterThanOrEqual(24 * hours - 60);
    expect(ttl).toBeLessThanOrEqual(24 * hours);
    expect(seen('and served', fromCache)).toBeDefined();
    // istiod dates it back by two minutes
    expect(lifetime).toBeGreaterThanOrEqual(24 * hours);
    expect(lifetime).toBeLessThanOrEqual(24 * hours + 5 * 60);
  },
});

claim('vm.root-cert-rotation-log', {
  falsifier: async (lab) =>
    otherOnVm(lab, agentLog, 'a log without the rotation of the root', '/start rotating root cert/d'),
  red: /expected \[ \+?\d+, -1, \d+ \] to not include -1/,

  async proof({ vm }, seen) {
    const wanted = [
      'generated new workload certificate',
      'Root cert has changed, start rotating root cert',
      'returned workload trust anchor from cache',
    ];
    const log = await logSinceStart(vm);
    const found = log.filter((line) => wanted.some((words) => line.includes(words)));
    const firsts = wanted.map((words) => found.findIndex((line) => line.includes(words)));
    seen('lines about the root certificate', found.slice(0, 6));

    expect(firsts).not.toContain(-1);
    expect(firsts).toEqual(firsts.toSorted((a, b) => a - b));
  },
});

const another =
  'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout /dev/null -days 1 ' +
  '-subj /CN=another -addext subjectAltName=URI:spiffe://cluster.local/ns/another/sa/another 2>/dev/null';

claim('vm.sds-push-to-envoy', {
  // Envoy has the certificate of the agent, and on disk is another
  falsifier: async (lab) =>
    otherOnVm(lab, '/etc/certs/cert-chain.pem', 'another certificate on disk', `1e ${another}`),
  red: /names: \[ 'spiffe:\/\/cluster\.local\/ns/,

  async proof({ vm, settings }, seen) {
    const [secrets, onDisk] = await Promise.all([
      envoySecrets(vm),
      certificateIn(vm, '/etc/certs/cert-chain.pem'),
    ]);
    const { vmName, vmNamespace, serviceAccount } = settings;

    // by Envoy itself: the agent's words for a push (SDS: PUSH request for node:…) are gone in 1.24
    expect(seen('the node that asked', secrets.node)).toContain(`~${vmName}.${vmNamespace}~`);
    expect(seen('secrets that Envoy was given', secrets.given)).toEqual(['ROOTCA', 'default']);
    expect(seen('its chain', secrets.chain)).toHaveLength(1);
    expect(secrets.chain[0]).toEqual(onDisk);
    expect(onDisk.names).toEqual([`spiffe://cluster.local/ns/${vmNamespace}/sa/${serviceAccount}`]);
    expect(seen('its trust anchors', secrets.anchors)).toHaveLength(1);
  },
});
