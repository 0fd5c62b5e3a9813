import { join } from 'node:path';
import { debianName } from '#lib/artifacts/architecture.ts';
import { run, type Output, type RunOptions } from '#lib/base/command.ts';
import type { Settings } from '#lib/base/settings.ts';
import { kubeClient, type Kube } from '#lib/kube/client.ts';
import { fenced, marked } from '#lib/kube/fence.ts';
import { lack, without } from '#lib/layers/features.ts';
import type { Lab, Programs } from '#lib/layers/lab.ts';
import { providerOf } from './give-back.ts';
import { marksOf, ownerName } from './marks.ts';
import type { ExistingRecord } from './record.ts';
import { existingVm } from './vm.ts';

type Words = readonly string[];

/**
 * A lab on a cluster and a VM that somebody else made. What of a lab it has not, throws LackingError when it is reached
 * for, and what is not the lab's own is not changed through it.
 *
 * @param lab with the parts that every lab has
 * @param record what it was put on
 */
export function existingLab(
  lab: Omit<Lab, 'nodes' | 'vm' | 'locate' | 'distribution'>,
  record: ExistingRecord,
): Lab {
  const { settings: given, vmName } = record;
  const marks = marksOf(record.lab);
  const used = given.mesh === 'use';
  const outside = (what: string): never => {
    throw used && what.includes(lab.settings.istioNamespace) ? lack('own-mesh') : lack('own-cluster');
  };
  let kube: Kube | undefined;
  const provider = providerOf(record);
  const here = given.bystander === 'here';
  const own = Object.create(lab, {
    features: { value: featuresOf(lab.features, record) },
    settings: { value: settingsOf(lab.settings, record) },
    network: {
      get: (): Words => {
        if (here) return [];
        throw lack('bystander');
      },
    },
    kube: {
      get: () => (kube ??= fenced(kubeClient(lab.kubeconfig), { marks, outside })),
    },
    vm: { value: existingVm(provider.machine(vmName), join(lab.dir, 'machines', vmName)) },
    programs: {
      value: without(
        { ...lab.programs, vm: packageAlone(lab.programs) },
        { forNodes: 'lab-artifacts', arm64: 'lab-artifacts' },
      ),
    },
    bystander: {
      value: async (words: Words, options?: RunOptions): Promise<Output> => {
        if (here) return run(words, options);
        throw lack('bystander');
      },
    },
    kubectl: {
      value: async (words: Words, options?: RunOptions): Promise<Output> => {
        if (!reads(words) && !(await inOwnNamespace(words))) throw lack('own-cluster');
        return lab.kubectl(words, options);
      },
    },
    istioctl: {
      value: async (words: Words, options?: RunOptions): Promise<Output> => {
        if (used && installing.has(words[0] ?? '')) throw lack('own-mesh');
        return lab.istioctl(words, options);
      },
    },
    manifest: {
      value: ((file, values) =>
        lab.manifest(file, { LAB_OWNER: ownerName(record.lab), ...values })) satisfies Lab['manifest'],
    },
  }) as Lab;
  return without(own, {
    nodes: 'node-access',
    local: 'own-network',
    topology: 'own-network',
    locate: 'own-network',
    distribution: 'own-cluster',
  });

  async function inOwnNamespace(words: Words): Promise<boolean> {
    const flag = words.findIndex((word) => word === '-n' || word === '--namespace');
    const name = flag === -1 ? undefined : words[flag + 1];
    if (name === undefined) return false;
    return marked(await own.kube.get({ apiVersion: 'v1', kind: 'Namespace', name }), marks);
  }
}

/** The VM has no image and no snapshot of the lab's; what is installed in it is for its architecture. */
const packageAlone = ({ sidecarPackage }: Programs): Programs['vm'] =>
  without<Programs['vm']>({ sidecarPackage }, { base: 'own-vm' });

/** The architecture of the VM is what it is, whatever this host's. */
const settingsOf = (settings: Settings, { architecture }: ExistingRecord): Settings => ({
  ...settings,
  lab: { ...settings.lab, vmArch: debianName(architecture) },
});

/** What of the features of a lab of the harness's own is left, and what it is told to have. */
function featuresOf(
  all: ReadonlySet<string>,
  { settings: given, architecture }: ExistingRecord,
): ReadonlySet<string> {
  const kept = ['istio-proxy-build', 'reference-repository'].filter((one) => all.has(one));
  return new Set([
    ...kept,
    'vm',
    `${debianName(architecture)}-vm`,
    ...(given.mesh === 'use' ? [] : ['own-mesh']),
    ...(given.bystander === 'here' ? ['bystander'] : []),
    ...(given.vms[0]?.user === 'root' ? ['root-session'] : []),
  ]);
}

/** The commands of kubectl that change nothing. */
const reading = new Set([
  ...[
    'api-resources',
    'api-versions',
    'auth',
    'cluster-info',
    'config',
    'describe',
    'diff',
    'exec',
    'explain',
  ],
  ...['get', 'logs', 'top', 'version', 'wait'],
]);

const reads = (words: Words): boolean =>
  words.includes('--dry-run=server') || words.includes('--dry-run=client') || reading.has(words[0] ?? '');

/** The commands of istioctl that change a mesh. */
const installing = new Set(['install', 'uninstall', 'upgrade', 'tag', 'operator']);
