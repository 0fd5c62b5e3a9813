import { expect } from 'vitest';
import { settings as readSettings, type GatewayPorts } from '#lib/base/settings.ts';
import { claims } from '#lib/claims/claim.ts';
import { change } from '#lib/kube/manifest.ts';
import { gatewayAddresses } from '#lib/layers/gateway.ts';
import { withFirst } from '#lib/layers/with-first.ts';
import { bystander } from '#lib/probes/bystander.ts';
import { meshRoots } from '#lib/probes/istiod.ts';
import { serviceOf } from '#lib/probes/services.ts';
import { answerTo, handshake } from '#lib/probes/tls.ts';

const claim = claims('02-istio', { layer: 'gateway' });

claim('istio.ewg-default-ports-differ', {
  requires: ['own-mesh'],
  async falsifier() {
    const before = process.env['EWG_PORT_TLS_WEBHOOK'];
    process.env['EWG_PORT_TLS_WEBHOOK'] = '15017';
    return change('EWG_PORT_TLS_WEBHOOK=15017', async () => {
      if (before === undefined) delete process.env['EWG_PORT_TLS_WEBHOOK'];
      else process.env['EWG_PORT_TLS_WEBHOOK'] = before;
      return Promise.resolve();
    });
  },
  red: /ports that are the same on both sides: webhook 15017: expected/,

  async proof({ kube, settings }, seen) {
    const { ports } = readSettings();
    seen('the ports of the settings', ports);
    const same = (['status', 'istiod', 'webhook'] as const satisfies (keyof GatewayPorts)[])
      .filter((one) => ports.ewg[one] === ports.default[one])
      .map((one) => `${one} ${String(ports.ewg[one])}`);
    expect(same, `ports that are the same on both sides: ${same.join(', ')}`).toEqual([]);

    const { numbers } = await serviceOf(kube, settings.istioNamespace, 'istio-eastwestgateway');
    expect(seen('the ports of the gateway', numbers)).toEqual(
      expect.arrayContaining(Object.values(ports.ewg) as number[]),
    );
    expect(numbers.filter((port) => (Object.values(ports.default) as number[]).includes(port))).toEqual([]);
  },
});

claim('istio.ewg-webhook-port', {
  falsifier: async (lab) => withFirst(lab, 'Gateway', 'istiod-gateway', 'servers'),
  red: /the webhook port of the gateway: expected '(no certificate|no connection)' to be 'verified'/,

  async proof(lab, seen) {
    const { istioNamespace, istioRevision, ports } = lab.settings;
    const name = `istiod-${istioRevision}.${istioNamespace}.svc`;
    const [address = ''] = await gatewayAddresses(lab);
    const roots = await meshRoots(lab);
    const asked = { address, port: ports.ewg.webhook, sni: name, roots, goodFor: name };
    const { outcome, names, said } = await handshake(bystander(lab), asked);
    seen(`openssl s_client to ${address}:${String(ports.ewg.webhook)}`, said);
    expect(outcome, 'the webhook port of the gateway').toBe('verified');

    // a client of the cluster has it from the service itself
    const [node] = lab.nodes;
    if (!node) throw new Error('The lab has no node.');
    const { clusterIp } = await serviceOf(lab.kube, istioNamespace, `istiod-${istioRevision}`);
    const direct = await handshake(node, { ...asked, address: clusterIp, port: 443 });
    expect(seen('the names of the certificate', names)).toEqual(direct.names);
    expect(names).toContain(`DNS:${name}`);

    const post = (path: string): string =>
      [`POST ${path} HTTP/1.1`, `Host: ${name}`, 'Content-Length: 0', 'Connection: close', '', ''].join(
        '\r\n',
      );
    for (const path of ['/validate', '/inject']) {
      const answer = await answerTo(bystander(lab), post(path), asked);
      expect(seen(`POST ${path} without a body`, answer)).toMatch(
        /HTTP\/1\.1 400 Bad Request[\s\S]*no body found/,
      );
    }
    const unknown = await answerTo(bystander(lab), post('/no-such-page'), asked);
    expect(seen('POST /no-such-page', unknown)).toMatch(/HTTP\/1\.1 404 /);
  },
});
