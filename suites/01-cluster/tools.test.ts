import { expect } from 'vitest';
import { claims } from '#lib/claims/claim.ts';
import { change } from '#lib/kube/manifest.ts';
import { labCommand } from '#lib/layers/lab-command.ts';
import { missingTools, toolsHidden } from '#lib/layers/tools.ts';
import { gitOfArticle } from '#lib/layers/reference-repository.ts';

const claim = claims('01-cluster', { layer: 'cluster' });

claim('cluster.tools-present', {
  requires: ['own-cluster'],
  async falsifier() {
    const hidden = await toolsHidden('socat');
    const before = process.env['PATH'];
    process.env['PATH'] = hidden.path;
    return change('socat taken off PATH', async () => {
      process.env['PATH'] = before;
      await hidden.undo();
    });
  },
  red: /what this machine lacks: socat: expected/,

  async proof({ istioctl, kubectl, vm, settings }, seen) {
    const missing = missingTools({ settings });
    expect(missing, `what this machine lacks: ${missing.join(', ')}`).toEqual([]);

    await using without = await toolsHidden('qemu-img', 'buildah');
    const some = await labCommand(['doctor'], { PATH: without.path });
    expect(seen('npm run lab -- doctor, without qemu-img and buildah on PATH', some.stdout)).toMatch(
      /^LACKING +Debian packages: missing: buildah, qemu-utils; mend: .*apt-get install .*buildah qemu-utils$/m,
    );
    expect(some.code).toBe(2);

    // the lab brings these itself, so that no other version of them is used
    const versions = {
      kubectl: (await kubectl(['version', '--client'])).stdout,
      istioctl: (await istioctl(['version', '--remote=false'])).stdout,
      'the machine of the provider': (await vm.run(['systemctl', '--version'])).stdout.split('\n')[0],
    };
    expect(seen('what they say', versions)).toMatchObject({
      kubectl: expect.stringMatching(/^Client Version: v\d+/) as string,
      istioctl: expect.stringMatching(/\S/) as string,
      'the machine of the provider': expect.stringMatching(/^systemd \d+/) as string,
    });
  },
});

/** What the article keeps in .data/istio-sidecar is installed with the sidecar's package here; the modes are those of its git. */
const keptFiles = {
  '/lib/systemd/system/istio.service': '644',
  '/usr/local/bin/istio-start.sh': '755',
  '/var/lib/istio/envoy/sidecar.env': '644',
  '/var/lib/istio/envoy/envoy_bootstrap_tmpl.json': '644',
};

claim('cluster.data-files-present', {
  async falsifier({ vm }) {
    const unit = '/lib/systemd/system/istio.service';
    await vm.run(['mv', unit, `${unit}.away`]);
    return change('the unit file taken away', async () => {
      await vm.run(['mv', `${unit}.away`, unit]);
    });
  },
  red: /'\/lib\/systemd\/system\/istio\.service': No such file or directory: expected/,

  async proof({ vm }, seen) {
    const paths = Object.keys(keptFiles);
    const { stdout, stderr } = await vm.attempt(['stat', '-L', '-c', '%n %a', ...paths]);
    const found = seen('the files of the package on the VM', stdout + stderr)
      .trim()
      .split('\n');
    const modes = Object.fromEntries(found.map((line) => line.split(' ') as [string, string]));

    expect(modes, stderr.trim()).toEqual(keptFiles);
    const { stdout: owners } = await vm.run(['dpkg', '-S', ...paths]);
    expect(seen('the package that they are of', owners).trim().split('\n')).toEqual(
      paths.map((path) => `istio-sidecar: ${path}`),
    );
  },
});

/** The commit that the README of istio-vms-1.19 stands at. */
const article = { commit: '67fa687' };

claim('cluster.reference-script', {
  requires: ['reference-repository'],
  async falsifier() {
    const before = article.commit;
    article.commit = '41c63dd';
    return change('the commit that added the script', async () => {
      article.commit = before;
      return Promise.resolve();
    });
  },
  red: /bin\/reference\.sh at 41c63dd: expected/,

  async proof(_lab, seen) {
    const { commit } = article;
    const readme = await gitOfArticle('show', `${commit}:README.md`);
    expect(readme).toContain('./bin/reference.sh');
    const tree = await gitOfArticle('ls-tree', '-r', '--name-only', commit, 'bin/');
    expect(seen('what is in bin/', tree), `${tree.trim()} at ${commit}`).toBe('');

    const history = await gitOfArticle(
      'log',
      '--format=%h',
      '--name-status',
      '--abbrev=7',
      '--',
      'bin/reference.sh',
    );
    expect(seen('its history', history).match(/^\w{7}$|^[ADM]\t/gm)).toEqual([
      '1f4e8c7',
      'D\t',
      '41c63dd',
      'A\t',
    ]);
  },
});
