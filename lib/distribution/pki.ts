import { readdir, chmod } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { run } from '#lib/base/command.ts';
import { writeAtomic } from '#lib/base/files.ts';
import { clusterNetworks, type NodePlan } from '#lib/machines/topology.ts';

/**
 * Makes the certificates and kubeconfigs of a cluster with kubeadm's own phases (elliptic keys: no waiting for primes).
 *
 * @param dir gets pki/ and conf/<who>.conf; every file of them is 0600
 * @param programs folder of the Kubernetes programs
 * @param api where the control plane is reached
 */
export async function makePki(
  dir: string,
  programs: string,
  version: string,
  nodes: readonly NodePlan[],
  api: URL,
): Promise<void> {
  const config = join(dir, 'kubeadm.yaml');
  const master = nodes.find((node) => node.role === 'control-plane');
  const documents = [
    {
      apiVersion: 'kubeadm.k8s.io/v1beta4',
      kind: 'InitConfiguration',
      localAPIEndpoint: { advertiseAddress: api.hostname, bindPort: Number(api.port) },
      nodeRegistration: { name: master?.name, criSocket: 'unix:///run/containerd/containerd.sock' },
    },
    {
      apiVersion: 'kubeadm.k8s.io/v1beta4',
      kind: 'ClusterConfiguration',
      kubernetesVersion: version,
      certificatesDir: join(dir, 'pki'),
      controlPlaneEndpoint: api.host,
      encryptionAlgorithm: 'ECDSA-P256',
      networking: { serviceSubnet: clusterNetworks.services, podSubnet: clusterNetworks.pods },
      apiServer: { certSANs: ['127.0.0.1', 'localhost'] },
    },
  ];
  await writeAtomic(config, documents.map((document) => stringify(document)).join('---\n'), 0o600);
  const kubeadm = join(programs, 'kubeadm');
  const phase = async (...words: string[]): Promise<void> => {
    await run([kubeadm, 'init', 'phase', ...words, '--config', config]);
  };
  await phase('certs', 'all');
  const conf = join(dir, 'conf');
  await Promise.all([
    phase('kubeconfig', 'all', '--kubeconfig-dir', conf),
    ...nodes.map(async ({ name }) => userConf(`kubelet-${name}`, `system:node:${name}`, 'system:nodes')),
    userConf('kube-proxy', 'system:kube-proxy'),
  ]);
  await Promise.all((await readdir(conf)).map(async (file) => chmod(join(conf, file), 0o600)));

  async function userConf(file: string, user: string, org?: string): Promise<void> {
    const words = [kubeadm, 'kubeconfig', 'user', '--config', config, '--client-name', user];
    const { stdout } = await run(org === undefined ? words : [...words, '--org', org]);
    await writeAtomic(join(conf, `${file}.conf`), stdout, 0o600);
  }
}
