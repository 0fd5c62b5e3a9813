import { expect } from 'vitest';
import { claims } from '#lib/claims/claim.ts';
import { change } from '#lib/kube/manifest.ts';

const claim = claims('03-vm', { layer: 'workload' });

// everybody may enter it: of a home, which istio-proxy may not enter on Debian 13, the shell says something else
const elsewhere = '/srv';

claim('vm.start-from-root-dir', {
  async falsifier({ vm }) {
    const link = `mkdir -p ${elsewhere}/var/lib && ln -s /var/lib/istio ${elsewhere}/var/lib/istio`;
    await vm.run(['bash', '-ec', link]);
    return change('cluster.env found from elsewhere as well', async () => {
      await vm.run(['rm', '-r', `${elsewhere}/var`]);
    });
  },
  red: /started from elsewhere it is the sidecar of: external-app/,

  async proof({ vm, settings }, seen) {
    // the unit runs it in /, as the article does
    const facts = [
      'agent=$(pgrep --oldest --exact pilot-agent)',
      'readlink /proc/$agent/cwd',
      String.raw`tr '\0' '\n' </proc/$agent/environ | grep -E '^(ISTIO_SERVICE|OUTPUT_CERTS)='`,
    ];
    const fromRoot = (await vm.run(['bash', '-ec', facts.join('\n')])).stdout.trim().split('\n');
    expect(seen('the agent that runs', fromRoot)).toEqual([
      '/',
      'OUTPUT_CERTS=./etc/certs',
      `ISTIO_SERVICE=${settings.vmApp}.${settings.vmNamespace}`,
    ]);

    // the redirect rules are left alone, and it ends before the agent: the sidecar that runs takes no notice
    const trace = await vm.attempt([
      'bash',
      '-c',
      `cd ${elsewhere} && ISTIO_CUSTOM_IP_TABLES=true bash -x /usr/local/bin/istio-start.sh`,
    ]);
    seen('started from elsewhere', trace.stderr);
    const service = /^\+ SVC=(.*)$/m.exec(trace.stderr)?.[1];
    expect(service, `started from elsewhere it is the sidecar of: ${service ?? '?'}`).toBe('rawvm');
    expect(trace.stderr).toContain('./var/log/istio/istio.err.log: No such file or directory');
    expect(trace.code).toBe(1);
  },
});
