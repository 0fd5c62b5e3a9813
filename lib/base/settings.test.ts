import { describe, expect, test } from 'vitest';
import { RefusedError } from './errors.ts';
import { settings } from './settings.ts';

describe('settings', () => {
  test('are those of run.env', () => {
    expect(settings({})).toMatchObject({
      istioVersion: '1.27.9',
      istioRevision: '1-27-9',
      vmName: 'vm-istio-external-workload',
      ports: { ewg: { status: 15_022, istiod: 15_013, webhook: 15_018 } },
      sizes: { worker: { cpus: 2, memoryMiB: 8192, diskGiB: 8 } },
      lab: { name: 'conformance', keep: 'never', patience: 'auto' },
    });
  });

  test('the environment wins', () => {
    expect(settings({ ISTIO_VERSION: '1.24.0' })).toMatchObject({
      istioVersion: '1.24.0',
      istioRevision: '1-24-0',
    });
  });

  test('an address is taken without the slash at its end', () => {
    const { releases } = settings({ ISTIO_RELEASES: 'http://127.0.0.1:8080/releases/' }).lab;

    expect(releases.istio).toBe('http://127.0.0.1:8080/releases');
    expect(releases.packages).toEqual([
      'https://storage.googleapis.com/istio-release/releases',
      'https://blob.istio.io/istio-release/releases',
    ]);
  });

  test('a patience is a number', () => {
    expect(settings({ LAB_PATIENCE: '2.5' }).lab.patience).toBe(2.5);
  });

  test('an empty variable is none', () => {
    expect(settings({ ISTIO_VERSION: '' }).istioVersion).toBe('1.27.9');
  });

  test.each([
    [{ ISTIO_VERSION: 'latest' }, 'ISTIO_VERSION must be a version such as 1.27.9, or master, got "latest".'],
    [{ EWG_PORT_STATUS: 'http' }, 'EWG_PORT_STATUS must be a whole number from 1 to 65535, got "http".'],
    [
      { EWG_PORT_TLS_ISTIOD: '70000' },
      'EWG_PORT_TLS_ISTIOD must be a whole number from 1 to 65535, got "70000".',
    ],
    [{ EWG_PORT_STATUS: '15021' }, /EWG_PORT_STATUS=15021 is the port of DEFAULT_PORT_STATUS too/],
    [
      { EWG_PORT_TLS_ISTIOD: '15443' },
      /EWG_PORT_TLS_ISTIOD=15443 is the port of the cross-network gateway too/,
    ],
    [{ EWG_PORT_TLS_WEBHOOK: '15013' }, /EWG_PORT_TLS_WEBHOOK=15013 is the port of EWG_PORT_TLS_ISTIOD too/],
    [{ LAB_KEEP: 'maybe' }, 'LAB_KEEP must be one of never, on-failure, always; got "maybe".'],
    [{ LAB_PATIENCE: '0.5' }, 'LAB_PATIENCE must be auto, or a number from 1 to 50, got "0.5".'],
    [{ LAB_PATIENCE: '51' }, 'LAB_PATIENCE must be auto, or a number from 1 to 50, got "51".'],
    [{ LAB_PATIENCE: 'much' }, 'LAB_PATIENCE must be auto, or a number from 1 to 50, got "much".'],
    [
      { LAB_PROVIDER: 'docker' },
      'LAB_PROVIDER must be one of auto, local, multipass, existing; got "docker".',
    ],
    [{ VM_ARCH: 'riscv64' }, 'VM_ARCH must be one of auto, amd64, arm64; got "riscv64".'],
    [{ VM_ARCH: 'aarch64' }, 'VM_ARCH must be one of auto, amd64, arm64; got "aarch64".'],
    [{ LAB_NAME: 'My Lab' }, 'LAB_NAME must be a short DNS label, got "My Lab".'],
    [{ MEM_WORKER: '8' }, 'MEM_WORKER must be a size in whole gibibytes such as 8G, got "8".'],
    [{ VM_NAMESPACE: 'vm_ns' }, 'VM_NAMESPACE must be a DNS label (a-z, 0-9 and dashes), got "vm_ns".'],
    [{ ARTIFACT_SOURCE: 'github' }, 'ARTIFACT_SOURCE must be one of auto, release, modules; got "github".'],
    [{ ISTIO_RELEASES: 'github.com' }, 'ISTIO_RELEASES must be an http or https address without user'],
    [{ ISTIO_PACKAGES: 'file:///srv' }, 'ISTIO_PACKAGES must be an http or https address'],
    [
      { K3S_RELEASES: 'https://x/?token=1' },
      'K3S_RELEASES must be an http or https address without user, password, query',
    ],
    [
      { ISTIO_RELEASES: 'https://me:pass@x/y' },
      /ISTIO_RELEASES must be .* got "https:\/\/\(withheld\)@x\/y"/,
    ],
    [
      { ISTIO_HUB: 'https://docker.io/istio' },
      'ISTIO_HUB must be a registry and a path such as docker.io/istio, got',
    ],
    [{ K3S_VERSION: '1.27.7' }, 'K3S_VERSION must be a release such as v1.27.7+k3s1, got "1.27.7".'],
    [{ LAB_CACHE: 'cache' }, 'LAB_CACHE must be an absolute path, got "cache".'],
  ])('refuses %o by name', (env, message) => {
    expect(() => settings(env)).toThrow(RefusedError);
    expect(() => settings(env)).toThrow(message);
  });
});
