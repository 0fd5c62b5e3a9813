import { readdir, rm } from 'node:fs/promises';
import { afterAll, expect } from 'vitest';
import { parse, stringify } from 'yaml';
import { claims } from '#lib/claims/claim.ts';
import { change } from '#lib/kube/manifest.ts';
import { generating } from '#lib/layers/generated-files.ts';
import { istiodHost } from '#lib/layers/istiod-host.ts';
import { lasting } from '#lib/layers/lasting.ts';
import { patched } from '#lib/layers/passing.ts';
import { roomForVm } from '#lib/layers/spare-vm.ts';
import { configureWorkload, workloadFiles } from '#lib/layers/workload.ts';
import { serviceOf } from '#lib/probes/services.ts';

const claim = claims('03-vm', { layer: 'gateway' });

/** Room for a machine that is not made. */
const spare = lasting(roomForVm);
afterAll(async () => spare.end());

claim('vm.created-before-workload-step', {
  given: spare.given,
  async falsifier() {
    const { lab: other } = spare.now();
    await other.vm.anew();
    return change('a VM that is there already', async () => {
      await other.vm.remove();
      await rm(workloadFiles(other), { recursive: true, force: true });
    });
  },
  red: /promise resolved .* instead of rejecting/,

  async proof(lab, seen) {
    const without = spare.now().lab;
    const folder = workloadFiles(without);
    await expect(configureWorkload(without)).rejects.toThrow(
      /files of a workload are generated for the address of its VM.*none to tell/,
    );
    expect(seen('files without a VM', await readdir(folder).catch(() => 'no folder'))).toBe('no folder');

    await using files = await generating(lab, 'with-vm', {});
    const env = (await files.read('cluster.env')).split('\n');
    const group = lab.manifest('03-vm/workload-group.yaml').find(({ kind }) => kind === 'WorkloadGroup');
    expect(seen('the template of the group', group?.spec?.['template'])).not.toHaveProperty('address');
    const { stdout } = await lab.vm.run(['hostname', '--all-ip-addresses']);
    expect(seen('addresses, as the VM tells them', stdout.trim())).toBe(await lab.vm.address());
    expect(env.filter((line) => line.startsWith('ISTIO_SVC_IP='))).toEqual([
      `ISTIO_SVC_IP='${stdout.trim()}'`,
    ]);
  },
});

/** The command whose help is read. */
const asked = { command: 'workload entry configure' };

claim('vm.ingress-service-help', {
  falsifier: () => {
    const { command } = asked;
    asked.command = 'workload group create';
    return change(`the help of ${asked.command}`, async () => {
      asked.command = command;
      return Promise.resolve();
    });
  },
  red: /expected '' to match/,

  async proof({ istioctl }, seen) {
    const { stdout } = await istioctl(['x', ...asked.command.split(' '), '--help']);
    const lines = stdout.split('\n').filter((line) => line.includes('--ingressService'));

    expect(seen('lines of the help that have the flag', lines).join('\n').trim()).toMatch(
      /^--ingressService string +Name of the Service to be used as the ingress gateway, in the format <service>\.<namespace>\. .* \(default "istio-eastwestgateway"\)$/,
    );
  },
});

claim('vm.ingress-port-not-detected', {
  async falsifier(lab) {
    const { istioNamespace: namespace, istioRevision, ports } = lab.settings;
    const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: `istio-${istioRevision}` };
    const { mesh = '' } = ((await lab.kube.get(ref))?.['data'] ?? {}) as { mesh?: string };
    const settings = parse(mesh) as { defaultConfig?: object };
    const discoveryAddress = `${istiodHost(lab)}:${String(ports.ewg.istiod)}`;
    const preset = { ...settings, defaultConfig: { ...settings.defaultConfig, discoveryAddress } };
    const [there, back] = [{ data: { mesh: stringify(preset) } }, { data: { mesh } }];
    return patched(lab, 'a discoveryAddress with the port of the gateway', { ref, there, back });
  },
  red: /expected 'istiod-\S+:15013' to be 'istiod-\S+:15012'/,

  async proof(lab, seen) {
    const { kube, settings } = lab;
    const gateway = await serviceOf(kube, settings.istioNamespace, 'istio-eastwestgateway');
    await using files = await generating(lab, 'no-port-fixes', { noFixCa: true, noFixPilot: true });
    const mesh = parse(await files.read('mesh.yaml')) as {
      defaultConfig?: { discoveryAddress?: string };
    };
    const env = (await files.read('cluster.env')).split('\n');

    expect(seen('ports of the gateway', gateway.ports)).toContain(
      `${String(settings.ports.ewg.istiod)}->15012/TCP`,
    );
    expect(gateway.ports.filter((port) => port.startsWith('15012->'))).toEqual([]);
    expect(seen('discoveryAddress', mesh.defaultConfig?.discoveryAddress)).toBe(`${istiodHost(lab)}:15012`);
    expect(
      seen(
        'CA_ADDR',
        env.filter((line) => line.startsWith('CA_ADDR=')),
      ),
    ).toEqual([`CA_ADDR='${istiodHost(lab)}:15012'`]);
    // what it does take from the gateway
    expect(await files.read('hosts')).toContain(istiodHost(lab));
  },
});
