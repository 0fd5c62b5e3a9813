import type { Deadline } from '#lib/base/deadline.ts';
import { ours } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import { startControlPlane } from '#lib/distribution/control-plane.ts';
import type { Lab } from '#lib/layers/lab.ts';
import { switchOff } from '#lib/machines/local/qemu.ts';
import { readState } from '#lib/machines/local/vm-folder.ts';
import { podsOf } from '#lib/probes/pods.ts';
import { kill, pidOf, type Victim } from './kill.ts';

/** Something that is done to a lab while claims are looked at. */
export interface Deed {
  name: string;
  /** What is looked at meanwhile, for `-t`; the deed is done when the first of them has ended. */
  during: string;
  /** The claims among them that cannot be seen to hold while what the deed takes away is away. */
  cannotPass: RegExp;
  /** What is looked at in the run after it, on the same lab. */
  after: string;
  /** How long the run may take from the deed on. */
  within: Deadline;
  /** The feature that the lab must have for it. */
  needs?: string;
  /** What the run after it may have to rebuild; nothing, unless told. */
  rebuilds?: RegExp;
  /** Does it, and returns as soon as it is done. */
  do(lab: Lab): Promise<void>;
  /** Waits until what was taken away is back by itself; a deed without it is one that nothing heals but the next run. */
  back?(lab: Lab): Promise<void>;
}

const ofIstio =
  'istio.revisioned-service|istio.default-tag|istio.mesh-identity|istio.ewg-ports|istio.ewg-reaches-istiod|istio.ewg-15012-closed';
const ofTraffic =
  'traffic.mesh-to-vm-direct|traffic.vm-to-mesh.hello|traffic.vm-to-mesh.both-versions|traffic.vm-to-mesh-via-ewg';
const ofVm =
  'vm.deb-contents|vm.bootstrap-file-placement|vm.bootstrap-user-and-modes|vm.iptables-redirect-rules|vm.iptables-dns-rule';

const kubeletOfWorker = ({ nodes }: Lab): Victim => ({
  node: nodes.find(({ plan }) => plan.role === 'worker')?.name ?? '',
  program: 'kubelet',
});

export const deeds: readonly Deed[] = [
  {
    name: 'istiod deleted',
    during: ofIstio,
    cannotPass: /^istio\.ewg-reaches-istiod$/,
    after: 'istio.ewg-reaches-istiod|traffic.vm-to-mesh.hello',
    within: ours.chaosRun,
    do: async (lab) => removePods(lab, `app=istiod,istio.io/rev=${lab.settings.istioRevision}`),
    back: async (lab) => podsBack(lab, `app=istiod,istio.io/rev=${lab.settings.istioRevision}`),
  },
  {
    name: 'east-west gateway restarted',
    during: `${ofIstio}|traffic.vm-to-mesh-via-ewg`,
    cannotPass: /^(istio\.ewg-reaches-istiod|traffic\.vm-to-mesh-via-ewg)$/,
    after: 'istio.ewg-reaches-istiod|traffic.vm-to-mesh-via-ewg',
    within: ours.chaosRun,
    do: async (lab) => removePods(lab, 'app=istio-eastwestgateway'),
    back: async (lab) => podsBack(lab, 'app=istio-eastwestgateway'),
  },
  {
    name: 'kubelet of a node killed',
    needs: 'upstream',
    during: ofTraffic,
    // what runs goes on without its kubelet
    cannotPass: /^$/,
    after: 'cluster.nodes-ready|traffic.vm-to-mesh.hello',
    within: ours.chaosRun,
    do: async (lab) => kill(lab, kubeletOfWorker(lab)),
    back: async (lab) => {
      await until(
        'the kubelet runs again',
        async () => pidOf(lab, kubeletOfWorker(lab)),
        () => true,
        { within: ours.chaosBack, every: 100 },
      );
    },
  },
  {
    name: 'VM rebooted',
    during: `${ofVm}|${ofTraffic}`,
    cannotPass: /^(vm|traffic)\./,
    after: 'vm.bootstrap-file-placement|traffic.vm-to-mesh.hello',
    within: ours.chaosRunOfVm,
    rebuilds: /the VM was started again since layer (workload|apps)/,
    do: async ({ vm }) => {
      await vm.run(['systemctl', 'reboot', '--no-block']);
    },
    back: async ({ vm }) => {
      // the note of the layer is in memory; without it the machine has booted again
      await until(
        'the VM has booted again',
        async () =>
          (await vm.attempt(['test', '-e', '/run/conformance/workload'], { within: ours.command })).code,
        (code) => code === 1,
        { within: ours.chaosReboot, every: 500 },
      );
    },
  },
  {
    name: 'VM switched off',
    during: `${ofVm}|${ofTraffic}`,
    cannotPass: /^(vm|traffic)\./,
    after: 'vm.bootstrap-file-placement|traffic.vm-to-mesh.hello',
    within: ours.chaosRunOfVm,
    rebuilds: /does not run|cluster\.env|the VM was started again since layer (workload|apps)/,
    do: async ({ vm }) => {
      const running = readState(vm.dir)?.process;
      // one that is not a process of ours is asked to power down
      if (running) await switchOff(vm.dir, running);
      else await vm.stop();
    },
  },
  {
    name: 'link of the VM down for 30 s',
    needs: 'own-network',
    during: ofTraffic,
    cannotPass: /^traffic\./,
    after: 'traffic.vm-to-mesh.hello|traffic.mesh-to-vm-direct',
    within: ours.chaosRun,
    do: async (lab) => {
      // up again whatever becomes of us
      const script =
        'ip link set tap-vm down && (sleep 30; ip link set tap-vm up) </dev/null >/dev/null 2>&1 &';
      await lab.bystander(['setsid', 'sh', '-c', script]);
    },
    back: async (lab) => {
      await until(
        'the link of the VM is up',
        async () => (await lab.bystander(['ip', '-brief', 'link', 'show', 'tap-vm'])).stdout,
        (line) => /<[^>]*\bUP\b/.test(line),
        { within: ours.chaosBack, every: 200 },
      );
    },
  },
  {
    name: 'API server restarted',
    needs: 'upstream',
    during: ofIstio,
    cannotPass: /^istio\.(revisioned-service|default-tag|mesh-identity|ewg-ports)$/,
    after: 'cluster.nodes-ready|istio.ewg-ports',
    within: ours.chaosRun,
    do: async ({ nodes }) => {
      const master = nodes.find(({ plan }) => plan.role === 'control-plane');
      if (!master) throw new Error('The lab has no control plane node.');
      // asked to end, it waits a minute for those who watch
      await master.endDaemon('kube-apiserver', 'KILL');
      await startControlPlane(master, 'kube-apiserver');
    },
    back: async ({ kube }) => {
      // what it answers before it calls itself ready is an answer
      await until(
        'the API server answers again',
        async () => kube.raw('/version'),
        (answer) => answer.includes('gitVersion'),
        { within: ours.chaosBack, every: 100 },
      );
    },
  },
];

async function removePods({ kube, settings }: Lab, labels: string): Promise<void> {
  const namespace = settings.istioNamespace;
  const pods = await podsOf(kube, namespace, labels);
  if (pods.length === 0) throw new Error(`There is no pod with ${labels} in ${namespace} to remove.`);
  for (const { name } of pods) await kube.remove({ apiVersion: 'v1', kind: 'Pod', namespace, name }, 0);
}

async function podsBack({ kube, settings }: Lab, labels: string): Promise<void> {
  await until(
    `a pod with ${labels} is ready again`,
    async () => podsOf(kube, settings.istioNamespace, labels),
    (pods) => pods.some(({ ready }) => ready),
    { within: ours.chaosPodBack, every: 200 },
  );
}
