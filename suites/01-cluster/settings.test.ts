import { expect } from 'vitest';
import { settings } from '#lib/base/settings.ts';
import { claims } from '#lib/claims/claim.ts';
import { otherDefault } from '#lib/layers/other-content.ts';
import { sourcedSettings } from '#lib/probes/clean-shell.ts';

const claim = claims('01-cluster', { layer: 'cluster' });

/** The table of the article's run.env. The sizes of the VM are hard-coded in install.vm.create.sh. */
const documented = {
  ISTIO_NAMESPACE: 'istio-system',
  CONTAINER_TOOL: 'docker',
  CPU_MASTER: '2',
  MEM_MASTER: '1G',
  DISK_MASTER: '4G',
  CPU_WORKER: '2',
  MEM_WORKER: '8G',
  DISK_WORKER: '8G',
  CPU_VM: '2',
  MEM_VM: '1G',
  DISK_VM: '4G',
  ISTIO_MESH_ID: 'vmmesh',
  ISTIO_CLUSTER: 'test',
  WORKLOAD_VM_NAME: 'vm-istio-external-workload',
  VM_APP: 'external-app',
  VM_NAMESPACE: 'vmns',
  SERVICE_ACCOUNT: 'vmsa',
  CLUSTER_NETWORK: 'kube-network',
  VM_NETWORK: 'vm-network',
  DEFAULT_PORT_STATUS: '15021',
  DEFAULT_PORT_TLS_ISTIOD: '15012',
  DEFAULT_PORT_TLS_WEBHOOK: '15017',
  EWG_PORT_STATUS: '15022',
  EWG_PORT_TLS_ISTIOD: '15013',
  EWG_PORT_TLS_WEBHOOK: '15018',
};

/** What no document has: the harness's own settings. */
const own = {
  LAB_PROVIDER: 'auto',
  LAB_DISTRIBUTION: 'auto',
  VM_ARCH: 'auto',
  VM_OS: 'debian-12',
  DEBIAN_MIRROR: 'auto',
  LAB_NAME: 'conformance',
  LAB_KEEP: 'never',
  LAB_PATIENCE: 'auto',
  ARTIFACT_SOURCE: 'auto',
  ISTIO_RELEASES: 'https://github.com/istio/istio/releases/download',
  ISTIO_PACKAGES:
    'https://storage.googleapis.com/istio-release/releases https://blob.istio.io/istio-release/releases',
  ISTIO_HUB: 'docker.io/istio',
  K3S_RELEASES: 'https://github.com/k3s-io/k3s/releases/download',
  K3S_VERSION: 'v1.27.7+k3s1',
};

claim('cluster.env-single-source', {
  looksAt: 'repository',
  falsifier: async () => otherDefault('ISTIO_MESH_ID', 'othermesh'),
  red: /ISTIO_MESH_ID: 'othermesh'/,

  async proof(_lab, seen) {
    const sourced = seen('fixtures/run.env, sourced in an empty shell', await sourcedSettings());
    const { ISTIO_VERSION: version, ...others } = sourced;
    // no release that the documents name can be built from modules, so the version is the harness's choice
    expect(version).toMatch(/^\d+\.\d+\.\d+$/);
    expect(others).toEqual({ ...documented, ...own });

    const exported = settings({ ISTIO_VERSION: '1.19.3' });
    seen('the settings with ISTIO_VERSION=1.19.3 exported', exported);
    expect([exported.istioVersion, exported.istioRevision]).toEqual(['1.19.3', '1-19-3']);
    const plain = settings({});
    expect([plain.istioVersion, plain.ports.ewg]).toEqual([
      version,
      { status: 15022, istiod: 15013, webhook: 15018 },
    ]);
  },
});
