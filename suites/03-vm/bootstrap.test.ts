import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { claims } from '#lib/claims/claim.ts';
import { change } from '#lib/kube/manifest.ts';
import { istiodHost } from '#lib/layers/istiod-host.ts';
import { otherOnVm } from '#lib/layers/other-content.ts';
import { ownedByProxy, placement, workloadFiles } from '#lib/layers/workload.ts';

const claim = claims('03-vm', { layer: 'workload' });

const unitFile = '/lib/systemd/system/istio.service';

claim('vm.deb-contents', {
  falsifier: async (lab) =>
    otherOnVm(lab, unitFile, 'a unit that systemd does not restart', 's/^Restart=.*/Restart=no/'),
  red: /'Restart=no'/,

  async proof(lab, seen) {
    const listed = await lab.bystander(['dpkg-deb', '--contents', lab.programs.vm.sidecarPackage]);
    const files = listed.stdout.split('\n').flatMap((line) => {
      const [kind = '', , , , , path = ''] = line.split(/\s+/);
      return kind.startsWith('-') ? [path.replace(/^\./, '')] : [];
    });
    const { stdout } = await lab.vm.run(['bash', '-c', `dpkg --search ${unitFile} && cat ${unitFile}`]);

    expect(seen('files of the package', files.sort())).toEqual([
      unitFile,
      '/usr/local/bin/envoy',
      '/usr/local/bin/istio-start.sh',
      '/usr/local/bin/pilot-agent',
      '/var/lib/istio/envoy/envoy_bootstrap_tmpl.json',
      '/var/lib/istio/envoy/sidecar.env',
    ]);
    expect(seen('the unit that it installed', stdout).split('\n')).toEqual(
      expect.arrayContaining([
        `istio-sidecar: ${unitFile}`,
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
  // what the hash of no content is
  red: /'mesh\.yaml': 'e3b0c44298fc1c14/,

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
  red: /expected \[ '\/etc\/certs root'/,

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
