import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { claims } from '#lib/claims/claim.ts';
import { change } from '#lib/kube/manifest.ts';
import { istiodHost } from '#lib/layers/istiod-host.ts';
import { ownedByProxy, placement, workloadFiles } from '#lib/layers/workload.ts';

const claim = claims('03-vm', { layer: 'workload' });

claim('vm.deb-contents', {
  async proof(lab, seen) {
    const listed = await lab.bystander(['dpkg-deb', '--contents', lab.programs.sidecarPackage]);
    const files = listed.stdout.split('\n').flatMap((line) => {
      const [kind = '', , , , , path = ''] = line.split(/\s+/);
      return kind.startsWith('-') ? [path.replace(/^\./, '')] : [];
    });
    const unit = '/lib/systemd/system/istio.service';
    const { stdout } = await lab.vm.run(['bash', '-c', `dpkg --search ${unit} && cat ${unit}`]);

    expect(seen('files of the package', files.sort())).toEqual([
      unit,
      '/usr/local/bin/envoy',
      '/usr/local/bin/istio-start.sh',
      '/usr/local/bin/pilot-agent',
      '/var/lib/istio/envoy/envoy_bootstrap_tmpl.json',
      '/var/lib/istio/envoy/sidecar.env',
    ]);
    expect(seen('the unit that it installed', stdout).split('\n')).toEqual(
      expect.arrayContaining([
        `istio-sidecar: ${unit}`,
        'ExecStart=/usr/local/bin/istio-start.sh',
        'Restart=always',
        'RestartSec=10',
        'ExecStopPost=/usr/local/bin/istio-start.sh clean',
      ]),
    );
  },
});

/** The agent writes root-cert.pem anew (OUTPUT_CERTS) and leaves out the last line feed, so none is counted. */
const sums = 'for file; do printf %s "$(<"$file")" | sha256sum; done';

claim('vm.bootstrap-file-placement', {
  async falsifier({ vm }) {
    const mesh = placement['mesh.yaml'] ?? '';
    await vm.run(['mv', mesh, `${mesh}.aside`]);
    return change('mesh.yaml left out', async () => {
      await vm.run(['mv', `${mesh}.aside`, mesh]);
    });
  },

  async proof(lab, seen) {
    const names = Object.keys(placement);
    const folder = workloadFiles(lab);
    const [generated, placed] = await Promise.all([
      lab.bystander(['bash', '-c', sums, '-', ...names.map((name) => join(folder, name))]),
      lab.vm.run(['bash', '-c', sums, '-', ...names.map((name) => placement[name] ?? name)]),
    ]);
    const hosts = await lab.vm.read('/etc/hosts');
    const [entry = ''] = (await readFile(join(folder, 'hosts'), 'utf8')).split('\n');
    const sumsOf = (text: string) =>
      Object.fromEntries(text.split('\n').map((sum, i) => [names[i] ?? '', sum]));

    expect(seen('sha256 on the VM', sumsOf(placed.stdout))).toEqual(sumsOf(generated.stdout));
    expect(entry).toContain(istiodHost(lab));
    expect(seen('/etc/hosts', hosts).split('\n')).toContain(entry);
  },
});

claim('vm.bootstrap-user-and-modes', {
  async falsifier({ vm }) {
    await vm.run(['chown', 'root', '/etc/certs']);
    return change('/etc/certs of root', async () => {
      await vm.run(['chown', 'istio-proxy', '/etc/certs']);
    });
  },

  async proof({ vm }, seen) {
    const programs = ['/usr/local/bin/envoy', '/usr/local/bin/pilot-agent'];
    const user = await vm.run(['getent', 'passwd', 'istio-proxy']);
    const folders = await vm.run(['stat', '--format=%n %U', ...ownedByProxy]);
    const modes = await vm.run(['stat', '--format=%n %a', ...programs]);

    expect(seen('the user', user.stdout.trim())).toMatch(/^istio-proxy:/);
    expect(seen('owners', folders.stdout.trim().split('\n'))).toEqual(
      ownedByProxy.map((folder) => `${folder} istio-proxy`),
    );
    expect(seen('modes', modes.stdout.trim().split('\n'))).toEqual(
      programs.map((program) => `${program} 2755`),
    );
  },
});
