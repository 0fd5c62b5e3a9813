import { readdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { claims } from '#lib/claims/claim.ts';
import { applying, change } from '#lib/kube/manifest.ts';
import { externalAddresses, gatewayAddresses } from '#lib/layers/gateway.ts';
import { generating } from '#lib/layers/generated-files.ts';
import { istiodHost } from '#lib/layers/istiod-host.ts';
import type { Lab } from '#lib/layers/lab.ts';
import { otherContent } from '#lib/layers/other-content.ts';
import { otherMeshConfig } from '#lib/layers/other-mesh-config.ts';
import { startedInVain } from '#lib/layers/started-in-vain.ts';
import { placement, workloadFiles } from '#lib/layers/workload.ts';
import { connected, logSinceStart } from '#lib/probes/agent-log.ts';

const claim = claims('03-vm', { layer: 'workload' });

const linesWith = (text: string, word: string): string[] =>
  text.split('\n').filter((line) => line.includes(word));

const groupOf = ({ settings }: Lab) => ({
  apiVersion: 'networking.istio.io/v1',
  kind: 'WorkloadGroup',
  name: settings.vmApp,
  namespace: settings.vmNamespace,
});

claim('vm.workloadgroup-created', {
  async falsifier(lab) {
    const network = (name: string) => ({ spec: { template: { network: name } } });
    await lab.kube.patch(groupOf(lab), network('elsewhere'));
    return change('another network in the group', async () =>
      lab.kube.patch(groupOf(lab), network(lab.settings.vmNetwork)),
    );
  },
  red: /network: 'elsewhere'/,

  async proof(lab, seen) {
    const { kube, settings } = lab;
    const namespace = settings.vmNamespace;
    const [group, home, account] = await Promise.all([
      kube.get(groupOf(lab)),
      kube.get({ apiVersion: 'v1', kind: 'Namespace', name: namespace }),
      kube.get({ apiVersion: 'v1', kind: 'ServiceAccount', name: settings.serviceAccount, namespace }),
    ]);

    expect(seen('the spec of the group', group?.spec)).toEqual({
      metadata: { labels: { app: settings.vmApp } },
      template: {
        ports: { http: 8000 },
        serviceAccount: settings.serviceAccount,
        network: settings.vmNetwork,
      },
      probe: { initialDelaySeconds: 1, periodSeconds: 5, httpGet: { path: '/', port: 8000 } },
    });
    expect(home?.status?.['phase']).toBe('Active');
    expect(account?.metadata?.name).toBe(settings.serviceAccount);
  },
});

claim('vm.workload-files-set', {
  async falsifier(lab) {
    const [token, aside] = [join(workloadFiles(lab), 'istio-token'), join(lab.dir, 'istio-token.aside')];
    await rename(token, aside);
    return change('the token left out', async () => rename(aside, token));
  },
  red: /expected \[ 'cluster\.env', 'hosts', .*\[ 'cluster\.env', 'hosts', 'mesh\.yaml', 'root-cert\.pem' \]/s,

  async proof(lab, seen) {
    const folder = workloadFiles(lab);
    const sizes = await Promise.all(
      (await readdir(folder)).map(async (name) => ({ name, size: (await stat(join(folder, name))).size })),
    );
    seen('the files and their sizes', sizes);

    expect(sizes.map(({ name }) => name).sort()).toEqual([
      'cluster.env',
      'hosts',
      'istio-token',
      'mesh.yaml',
      'root-cert.pem',
    ]);
    expect(sizes.filter(({ size }) => size === 0)).toEqual([]);
    // and they are of this mesh
    expect(await readFile(join(folder, 'hosts'), 'utf8')).toContain(` ${istiodHost(lab)}`);
  },
});

claim('vm.hosts-file', {
  falsifier: async (lab) =>
    otherContent(join(workloadFiles(lab), 'hosts'), 'the address of another machine', (text) =>
      text.replace(/^\S+/, '192.168.64.99'),
    ),
  red: /'192\.168\.64\.99 istiod-/,

  async proof(lab, seen) {
    const hosts = await readFile(join(workloadFiles(lab), 'hosts'), 'utf8');
    const [first] = await externalAddresses(lab, 'istio-eastwestgateway');

    expect(seen('the hosts file', hosts).split('\n')).toContain(`${String(first)} ${istiodHost(lab)}`);
  },
});

/** A gateway's Service whose port the default gateway holds already: the documented way to stay <pending>. */
const stuck = 'istio-stuckgateway';

const stuckGateway = ({ settings }: Lab, port: number) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: stuck, namespace: settings.istioNamespace },
  spec: {
    type: 'LoadBalancer',
    selector: { istio: 'stuckgateway' },
    ports: [{ name: 'status-port', port }],
  },
});

claim('vm.hosts-empty-without-ewg', {
  given: async (lab) => applying(lab.kube, [stuckGateway(lab, lab.settings.ports.default.status)]),
  async falsifier(lab) {
    await lab.kube.apply(stuckGateway(lab, 15_999));
    await gatewayAddresses(lab, undefined, stuck);
    return change('a port that is free for the gateway', async () => Promise.resolve());
  },
  red: /expected '192\.168\.64\.6\d istiod-.*' to be ''/,

  async proof(lab, seen) {
    await using files = await generating(lab, 'no-address', { flags: ['--ingressService', stuck] });

    expect(seen('the hosts file', await files.read('hosts')).trim()).toBe('');
    expect(seen('what istioctl said', files.said)).toContain(
      `Could not auto-detect IP for ${istiodHost(lab)}`,
    );
    expect(seen('addresses of the gateway', await externalAddresses(lab, stuck))).toEqual([]);
  },
});

claim('vm.ca-addr-default-15012', {
  // what the mesh gives its proxies stands in cluster.env too
  falsifier: async (lab) =>
    otherMeshConfig(lab, 'a second address of a CA', { proxyMetadata: { OTHER_CA_ADDR: 'elsewhere:15012' } }),
  breaks: 'istio',
  red: /'OTHER_CA_ADDR=.*'/,

  async proof(lab, seen) {
    await using files = await generating(lab, 'no-fix-ca', { noFixCa: true });
    const lines = linesWith(await files.read('cluster.env'), 'CA_ADDR');

    expect(seen('lines with CA_ADDR', lines).map((line) => line.replaceAll("'", ''))).toEqual([
      `CA_ADDR=${istiodHost(lab)}:15012`,
    ]);
  },
});

claim('vm.ca-addr-fixed', {
  falsifier: async (lab) =>
    otherContent(join(workloadFiles(lab), 'cluster.env'), 'CA_ADDR at the default port', (text) =>
      text.replaceAll(/^(CA_ADDR=.*):15013(.*)$/gm, '$1:15012$2'),
    ),
  red: /:15012', 'CA_ADDR=istiod-[^']*:15012' \]/,

  async proof(lab, seen) {
    const file = join(workloadFiles(lab), 'cluster.env');
    const lines = linesWith(await readFile(file, 'utf8'), 'CA_ADDR');
    const sourced = await lab.bystander(['bash', '-c', '. "$0"; echo "$CA_ADDR"', file]);
    const gateway = `${istiodHost(lab)}:${String(lab.settings.ports.ewg.istiod)}`;

    expect(seen('lines with CA_ADDR', lines).map((line) => line.replaceAll("'", ''))).toEqual([
      `CA_ADDR=${istiodHost(lab)}:15012`,
      `CA_ADDR=${gateway}`,
    ]);
    expect(seen('CA_ADDR once the file is sourced', sourced.stdout.trim())).toBe(gateway);
  },
});

claim('vm.pilot-address-in-cluster-env', {
  falsifier: async (lab) => startedInVain(lab, (env) => env.replaceAll(/^PILOT_ADDRESS=.*\n/gm, '')),
  red: /connected to: nothing/,

  async proof(lab, seen) {
    const { vm } = lab;
    const istiod = `${istiodHost(lab)}:${String(lab.settings.ports.ewg.istiod)}`;
    const generated = await readFile(join(workloadFiles(lab), 'cluster.env'), 'utf8');
    const placed = await vm.read(placement['cluster.env'] ?? '');
    expect(linesWith(generated, 'PILOT_ADDRESS')).toEqual([`PILOT_ADDRESS='${istiod}'`]);

    // the unit runs istio-start.sh and gives it no variable
    const unit = (await vm.run(['systemctl', 'show', 'istio', '--property=Environment,EnvironmentFiles']))
      .stdout;
    expect(seen('what the unit sets', unit).trim()).toBe('Environment=');
    const log = await logSinceStart(vm);
    const streams = log.flatMap((line) => connected.exec(line)?.[0].split(' ').at(-1) ?? []);
    expect(streams, `connected to: ${streams.join(', ') || 'nothing'}`).toContain(istiod);

    expect(linesWith(placed, 'PILOT_ADDRESS')).toEqual([`PILOT_ADDRESS='${istiod}'`]);
    const environment = String.raw`tr '\0' '\n' </proc/$(pgrep --oldest --exact pilot-agent)/environ`;
    const { stdout } = await vm.run(['bash', '-c', environment]);
    expect(seen('in its PROXY_CONFIG', linesWith(stdout, 'discoveryAddress'))).toEqual([
      `discoveryAddress: ${istiod}`,
    ]);
  },
});
