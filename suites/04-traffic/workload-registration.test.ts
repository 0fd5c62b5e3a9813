import { expect } from 'vitest';
import { claims } from '#lib/claims/claim.ts';
import { applying } from '#lib/kube/manifest.ts';
import { istiodHost } from '#lib/layers/istiod-host.ts';
import { routeDeleted, routeRef } from '#lib/layers/route-to-vm.ts';
import { entriesOf, entryLine } from '#lib/layers/sidecar.ts';
import { startedInVain } from '#lib/layers/started-in-vain.ts';
import { connected, logSinceStart } from '#lib/probes/agent-log.ts';

const claim = claims('04-traffic', { layer: 'apps' });

claim('traffic.we-name-and-address', {
  async falsifier({ kube, settings }) {
    const metadata = { name: `${settings.vmApp}-10.128.0.7`, namespace: settings.vmNamespace };
    const entry = { apiVersion: 'networking.istio.io/v1', kind: 'WorkloadEntry', metadata };
    return applying(
      kube,
      [{ ...entry, spec: { address: '10.128.0.7' } }],
      'an entry named without its network',
    );
  },
  breaks: 'workload',
  red: /'external-app-10\.128\.0\.7 10\.128\.0\.7'/,
  witness: true,

  async proof(lab, seen) {
    const listed = await entriesOf(lab);
    const words = ['get', 'workloadentry', '-n', lab.settings.vmNamespace];
    const table = seen('kubectl get workloadentry', (await lab.kubectl(words)).stdout)
      .trim()
      .split('\n');

    expect(listed).toEqual([entryLine(lab, await lab.vm.address())]);
    expect(table.map((row) => row.split(/\s+/))).toEqual([
      ['NAME', 'AGE', 'ADDRESS'],
      [listed[0]?.split(' ')[0], expect.stringMatching(/^\d/), await lab.vm.address()],
    ]);
  },
});

claim('traffic.route-service-created', {
  falsifier: routeDeleted,
  red: /There is no Service external-app/,

  async proof(lab, seen) {
    const service = await lab.kube.get(routeRef(lab));
    expect(service, `There is no Service ${routeRef(lab).name}.`).toBeDefined();
    const { type, ports, selector } = seen('the spec of the Service', service?.spec) ?? {};

    expect({ type, ports, selector }).toEqual({
      type: 'ClusterIP',
      ports: [{ name: 'http', protocol: 'TCP', port: 8000, targetPort: 8000 }],
      selector: { app: 'external-app' },
    });
  },
});

claim('traffic.xds-connected-log', {
  falsifier: async (lab) => {
    const wrong = `${istiodHost(lab)}:${String(lab.settings.ports.default.istiod)}`;
    return startedInVain(lab, (env) => `${env}PILOT_ADDRESS=${wrong}\n`);
  },
  red: /connections that the log of the agent tells: none/,

  async proof(lab, seen) {
    const log = await logSinceStart(lab.vm);
    const told = new Set(log.flatMap((line) => connected.exec(line)?.[0] ?? []));
    const istiod = `${istiodHost(lab)}:${String(lab.settings.ports.ewg.istiod)}`;

    // it is connected anew now and then, and says so each time
    expect(
      [...told],
      `connections that the log of the agent tells: ${[...told].join(', ') || 'none'}`,
    ).toEqual([`connected to delta upstream XDS server: ${istiod}`]);
    seen('what it says', [...told]);
  },
});
