import { goBuild, goInputs, type GoPrograms } from './go.ts';
import { produce, type Build, type Place } from './store.ts';

export const kubernetesVersion = '1.34.4';

const command = (name: string): [string, string] => [name, `k8s.io/kubernetes/cmd/${name}`];
const commands = [
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
  'kubectl',
  'kubeadm',
];
const [major = '', minor = ''] = kubernetesVersion.split('.');
const about = 'k8s.io/component-base/version';

const kubernetesPrograms: GoPrograms = {
  folder: `artifacts/kubernetes-${kubernetesVersion}`,
  programs: { ...Object.fromEntries(commands.map(command)), etcd: 'go.etcd.io/etcd/server/v3' },
  // without these it reports v0.0.0, and the kubelet refuses versions that lie too far apart
  values: {
    [`${about}.gitVersion`]: `v${kubernetesVersion}`,
    [`${about}.gitMajor`]: major,
    [`${about}.gitMinor`]: minor,
    [`${about}.gitTreeState`]: 'clean',
  },
};

/** Builds kubectl alone, for this host. Returns its folder. */
export async function kubectl(place?: Place): Promise<string> {
  const programs = { kubectl: 'k8s.io/kubernetes/cmd/kubectl' };
  const client: GoPrograms = { ...kubernetesPrograms, programs, onHost: true };
  const title = `kubectl ${kubernetesVersion} from its Go module`;
  const build: Build = async (dir, note, run) => goBuild(client, dir, note, run);
  return produce('kubectl', await goInputs(client), title, 60_000, build, place);
}

/** Builds Kubernetes and the etcd it asks for. Returns the folder of kube-apiserver, kubelet, kubectl and so on. */
export async function kubernetes(place?: Place): Promise<string> {
  const title = `Kubernetes ${kubernetesVersion} and etcd from their Go modules`;
  const inputs = await goInputs(kubernetesPrograms);
  const build: Build = async (dir, note, run) => goBuild(kubernetesPrograms, dir, note, run);
  return produce('kubernetes', inputs, title, 300_000, build, place);
}
