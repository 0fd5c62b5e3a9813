import { join } from 'node:path';
import { debianName, vmArchitecture } from '#lib/artifacts/architecture.ts';
import { run, type Output, type RunOptions } from '#lib/base/command.ts';
import { readJson, writeAtomic } from '#lib/base/files.ts';
import { settings as readSettings, type Settings } from '#lib/base/settings.ts';
import type { ForNodes } from '#lib/artifacts/artifacts.ts';
import type { Distribution } from '#lib/distribution/distribution.ts';
import { k3s } from '#lib/distribution/k3s.ts';
import { hostKubeconfig } from '#lib/distribution/kubeconfig.ts';
import { upstream } from '#lib/distribution/upstream.ts';
import { kubeClient, type Kube } from '#lib/kube/client.ts';
import { manifest, type Values } from '#lib/kube/manifest.ts';
import { addressesOf, enterLab, findLab, type LocalLab } from '#lib/machines/local/lab.ts';
import { nodeMachine } from '#lib/machines/local/node.ts';
import { multipassNode } from '#lib/machines/multipass/node.ts';
import { instanceOf, multipassProvider } from '#lib/machines/multipass/provider.ts';
import { withRoom } from '#lib/machines/multipass/room.ts';
import { instancesTopology } from '#lib/machines/multipass/topology.ts';
import { multipassVm, vmFirstBoot } from '#lib/machines/multipass/vm.ts';
import type { NodeMachine } from '#lib/machines/node-machine.ts';
import { vmMachine, type VmBase, type VmMachine } from '#lib/machines/local/vm.ts';
import { nodePlans, topologyOf, type Topology } from '#lib/machines/topology.ts';
import type { Resource } from '#lib/kube/client.ts';
import { existingLab } from './existing/lab.ts';
import { hasRecord, recordIn } from './existing/record.ts';
import { allOwnFeatures, lack, without } from './features.ts';
import { hasVm } from './own-network.ts';
import { referenceRepository } from './reference-repository.ts';

/** Where the lab's programs and packages are, as the machines layer found or built them. */
export interface Programs {
  /** Folder of kube-apiserver, kubelet, kubectl and so on. */
  kubernetes: string;
  /** Folder of pilot-discovery, pilot-agent and istioctl. */
  istio: string;
  /** The sidecar's Debian package for this host's architecture. */
  sidecarPackage: string;
  forNodes: ForNodes;
  /** For machines of arm64: the sidecar's package, and an image of the proxy for both (OCI layout). */
  arm64: { sidecarPackage: string; proxyImage: string };
  /** The sidecar's package for the VM's architecture, and what a VM of ours is made from; one that is launched has none. */
  vm: { sidecarPackage: string; base?: VmBase };
  /** Whether Envoy is Istio's own build. */
  istioProxyBuild: boolean;
}

/** One lab as it stands: what claims and layers reach the world with. Built anew in each process, from disk. */
export interface Lab {
  readonly name: string;
  readonly dir: string;
  readonly settings: Settings;
  readonly local: LocalLab;
  readonly programs: Programs;
  /** The Kubernetes that is put on the nodes. */
  readonly distribution: Distribution;
  readonly nodes: readonly NodeMachine[];
  readonly vm: VmMachine;
  /** Where its machines are. @throws Error when they never came up */
  readonly topology: Topology;
  /** Asks the provider of its machines, which run, where they are now. */
  locate(): Promise<Topology>;
  /** Kubeconfig for the host, through a forwarder on loopback; mode 0600. */
  readonly kubeconfig: string;
  /** The API server, through the forwarder on loopback. */
  readonly kube: Kube;
  /** What the lab has beyond the least; a claim may require some of it. */
  readonly features: ReadonlySet<string>;
  /** Words that put a command into the lab's network, as a host that is neither node, pod nor VM. */
  readonly network: readonly string[];
  istioctl(words: readonly string[], options?: RunOptions): Promise<Output>;
  kubectl(words: readonly string[], options?: RunOptions): Promise<Output>;
  /** Runs a command in the lab's network as a host that is neither node, pod nor VM. */
  bystander(words: readonly string[], options?: RunOptions): Promise<Output>;
  /** The documents of a manifest under fixtures/, with run.env's names filled in. */
  manifest(file: string, values?: Values): Resource[];
}

/**
 * The lab of this name, as it stands.
 *
 * @throws Error when there is none
 */
export async function attachLab(settings: Settings = readSettings()): Promise<Lab> {
  const { name } = settings.lab;
  const local = await findLab(name);
  const programs = local && readJson<Programs>(join(local.dir, 'programs.json'));
  if (!local || !programs) throw new Error(`Lab ${name} does not stand; \`npm run lab -- up\` brings it up.`);
  return labOf(settings, local, programs);
}

export function labOf(settings: Settings, local: LocalLab, programs: Programs): Lab {
  const kubeconfig = hostKubeconfig(local);
  const record = hasRecord(local.dir) ? recordIn(local.dir) : undefined;
  let kube: Kube | undefined;
  const withConfig =
    (program: string) =>
    async (words: readonly string[], options: RunOptions = {}): Promise<Output> =>
      run([program, ...words], { ...options, env: { ...options.env, KUBECONFIG: kubeconfig } });
  const network = enterLab(local);
  const lab = {
    name: local.name,
    dir: local.dir,
    settings,
    local,
    programs,
    kubeconfig,
    get topology() {
      return topologyOf(local);
    },
    get kube() {
      kube ??= kubeClient(kubeconfig);
      return kube;
    },
    features: new Set<string>([
      ...(hasVm(settings) ? [`${debianName(vmArchitecture(settings))}-vm`] : []),
      ...allOwnFeatures,
      ...(programs.istioProxyBuild ? ['istio-proxy-build'] : []),
      ...(referenceRepository() === undefined ? [] : ['reference-repository']),
    ]),
    network,
    istioctl: withConfig(join(programs.istio, 'istioctl')),
    kubectl: withConfig(join(programs.kubernetes, 'kubectl')),
    bystander: async (words: readonly string[], options?: RunOptions) => run([...network, ...words], options),
    manifest: (file: string, values?: Values) => manifest(file, { ...names(settings), ...values }),
  };
  if (record) return existingLab(lab, record);
  const distribution = distributionOf(programs);
  for (const feature of distribution.features) lab.features.add(feature);
  if (!programs.vm.base) lab.features.delete('spare-vm');
  if (!local.addresses) {
    lab.features.delete('own-network');
    lab.features.delete('root-session');
  }
  if (hasVm(settings)) return Object.assign(lab, { distribution }, machinesOf(settings, local, programs));
  for (const feature of ofVm) lab.features.delete(feature);
  const { nodes, locate } = localNodes(settings, local, programs);
  const nobody: Partial<Lab> = { distribution, nodes, locate };
  return without(Object.assign(lab as unknown as Lab, nobody), { vm: 'vm' });
}

/** What a lab without a VM does not have. */
const ofVm = ['vm', 'own-vm', 'spare-vm', 'root-session'] as const;

const distributionOf = ({ kubernetes, forNodes }: Programs): Distribution =>
  forNodes.is === 'k3s' ? k3s(forNodes) : upstream({ programs: kubernetes, ...forNodes });

/** What VMs of a lab are made from on this host. @throws LackingError when its VM is launched elsewhere */
export function vmBase({ programs }: Pick<Lab, 'programs'>): VmBase {
  if (programs.vm.base) return programs.vm.base;
  throw lack('spare-vm');
}

type Provided = Pick<Lab, 'nodes' | 'vm' | 'locate'>;

/** The nodes of a lab of the local provider. */
const localNodes = (
  settings: Settings,
  local: LocalLab,
  programs: Programs,
): Pick<Provided, 'nodes' | 'locate'> => ({
  nodes: nodePlans(settings).map((plan) => nodeMachine(local, plan, programs.kubernetes)),
  locate: async () => Promise.resolve(addressesOf(local)),
});

/** The machines of a lab, from the provider that the settings name; none is asked anything yet. */
function machinesOf(settings: Settings, local: LocalLab, programs: Programs): Provided {
  const plans = nodePlans(settings);
  const { vmName: name, sizes } = settings;
  if (settings.lab.provider !== 'multipass') {
    const base = vmBase({ programs });
    const vm = vmMachine({ labDir: local.dir, enter: enterLab(local), base, size: sizes.vm, name });
    return { ...localNodes(settings, local, programs), vm };
  }
  const provider = multipassProvider({ lab: local });
  const dirOf = (machine: string): string => join(local.dir, 'machines', machine);
  // machines that back the stand-in's instances share the host's disk
  const placed = local.addresses ? plans : plans.map(withRoom);
  const nodes = placed.map((plan) =>
    multipassNode(provider, plan, instanceOf(local.name, plan.name), dirOf(plan.name)),
  );
  const vm = multipassVm(provider, { name, size: sizes.vm, firstBoot: vmFirstBoot }, dirOf(name));
  return {
    nodes,
    vm,
    locate: async () => instancesTopology(nodes, vm, enterLab(local)),
  };
}

/** The same lab with something else in some places. The API server is reached for only when it is asked. */
export const labWith = (lab: Lab, other: Partial<Lab>): Lab =>
  Object.assign(Object.create(lab) as Lab, other);

/**
 * Some things can be done only to a Kubernetes whose parts are programs of their own.
 *
 * @param what is done to it, as the end of a sentence
 * @throws Error when the parts of the distribution are one program
 */
export function ofPrograms({ name }: Pick<Distribution, 'name'>, what: string): void {
  if (name === 'upstream') return;
  throw new Error(
    `All parts of ${name} are one program, so it cannot be seen how a lab is when ${what}; LAB_DISTRIBUTION=upstream has a program for each.`,
  );
}

/** The settings under the names of run.env, for manifests. */
export function names(settings: Settings): Record<string, string | number> {
  const { ports } = settings;
  return {
    ISTIO_VERSION: settings.istioVersion,
    ISTIO_REVISION: settings.istioRevision,
    ISTIO_NAMESPACE: settings.istioNamespace,
    ISTIO_MESH_ID: settings.meshId,
    ISTIO_CLUSTER: settings.clusterName,
    CLUSTER_NETWORK: settings.clusterNetwork,
    VM_NETWORK: settings.vmNetwork,
    VM_APP: settings.vmApp,
    VM_NAMESPACE: settings.vmNamespace,
    SERVICE_ACCOUNT: settings.serviceAccount,
    DEFAULT_PORT_TLS_ISTIOD: ports.default.istiod,
    EWG_PORT_STATUS: ports.ewg.status,
    EWG_PORT_TLS_ISTIOD: ports.ewg.istiod,
    EWG_PORT_TLS_WEBHOOK: ports.ewg.webhook,
  };
}

/** Adds facts measured on the running system to <lab>/measured.json, for the report. */
export async function measured(dir: string, facts: Record<string, unknown>): Promise<void> {
  const file = join(dir, 'measured.json');
  await writeAtomic(file, JSON.stringify({ ...readJson<object>(file), ...facts }, undefined, 2));
}
