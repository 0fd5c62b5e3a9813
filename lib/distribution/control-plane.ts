import { inWholeSeconds } from '#lib/base/deadline.ts';
import { ours } from '#lib/base/deadlines.ts';
import type { NodeMachine } from '#lib/machines/node-machine.ts';
import { clusterNetworks } from '#lib/machines/topology.ts';

/** Where the node sees the certificates and kubeconfigs of the cluster. */
const pki = '/var/kubernetes/pki';
const conf = '/var/kubernetes/conf';

/** The control plane's programs, with their flags. The audience `istio-ca` is what the VM's token is made for. */
export const controlPlane: Readonly<Record<string, (address: string) => string[]>> = {
  etcd: () => [
    'etcd',
    '--data-dir=/var/etcd',
    // the lab is thrown away after the run
    '--unsafe-no-fsync',
    '--listen-client-urls=http://127.0.0.1:2379',
    '--advertise-client-urls=http://127.0.0.1:2379',
    '--listen-peer-urls=http://127.0.0.1:2380',
    '--log-level=warn',
    `--heartbeat-interval=${String(ours.etcdHeartbeat.ms)}`,
    `--election-timeout=${String(ours.etcdElection.ms)}`,
  ],
  'kube-apiserver': (address) => [
    'kube-apiserver',
    '--etcd-servers=http://127.0.0.1:2379',
    `--etcd-healthcheck-timeout=${inWholeSeconds(ours.etcdHealth)}s`,
    `--etcd-readycheck-timeout=${inWholeSeconds(ours.etcdHealth)}s`,
    `--advertise-address=${address}`,
    '--secure-port=6443',
    `--service-cluster-ip-range=${clusterNetworks.services}`,
    '--authorization-mode=Node,RBAC',
    '--allow-privileged=true',
    '--enable-admission-plugins=NodeRestriction',
    '--kubelet-preferred-address-types=InternalIP',
    `--client-ca-file=${pki}/ca.crt`,
    `--tls-cert-file=${pki}/apiserver.crt`,
    `--tls-private-key-file=${pki}/apiserver.key`,
    `--kubelet-client-certificate=${pki}/apiserver-kubelet-client.crt`,
    `--kubelet-client-key=${pki}/apiserver-kubelet-client.key`,
    `--proxy-client-cert-file=${pki}/front-proxy-client.crt`,
    `--proxy-client-key-file=${pki}/front-proxy-client.key`,
    `--requestheader-client-ca-file=${pki}/front-proxy-ca.crt`,
    '--requestheader-allowed-names=front-proxy-client',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-username-headers=X-Remote-User',
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-account-key-file=${pki}/sa.pub`,
    `--service-account-signing-key-file=${pki}/sa.key`,
    '--api-audiences=https://kubernetes.default.svc.cluster.local,istio-ca',
    '--profiling=false',
  ],
  'kube-controller-manager': () => [
    'kube-controller-manager',
    `--kubeconfig=${conf}/controller-manager.conf`,
    '--bind-address=127.0.0.1',
    `--root-ca-file=${pki}/ca.crt`,
    `--service-account-private-key-file=${pki}/sa.key`,
    `--cluster-signing-cert-file=${pki}/ca.crt`,
    `--cluster-signing-key-file=${pki}/ca.key`,
    '--use-service-account-credentials=true',
    '--leader-elect=false',
    '--allocate-node-cidrs=false',
    `--node-monitor-grace-period=${inWholeSeconds(ours.nodeSilence)}s`,
    '--profiling=false',
  ],
  'kube-scheduler': () => [
    'kube-scheduler',
    `--kubeconfig=${conf}/scheduler.conf`,
    '--bind-address=127.0.0.1',
    '--leader-elect=false',
    '--profiling=false',
  ],
};

/** Starts one program of the control plane on its node. */
export async function startControlPlane(node: NodeMachine, program: string): Promise<void> {
  const words = controlPlane[program]?.(await node.address());
  if (!words) throw new Error(`No program of the control plane is called ${program}`);
  await node.daemon(program, words);
}
