import { afterAll, expect } from 'vitest';
import { ours } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import { claims } from '#lib/claims/claim.ts';
import type { Resource } from '#lib/kube/client.ts';
import { applying, refOf } from '#lib/kube/manifest.ts';
import type { PassingPod } from '#lib/layers/client-pod.ts';
import { helloworldUrl } from '#lib/layers/directions.ts';
import type { Lab } from '#lib/layers/lab.ts';
import { lasting } from '#lib/layers/lasting.ts';
import { denyAll, policySubjects, vmSidePolicy, withoutPolicyEngine } from '#lib/layers/network-policies.ts';
import { patched, together } from '#lib/layers/passing.ts';
import { entryOf } from '#lib/layers/sidecar.ts';
import { deniedByMesh } from '#lib/layers/authorization.ts';
import { closedByVm } from '#lib/layers/vm-firewall.ts';
import { get, outcomeOf, saidIn } from '#lib/probes/http.ts';
import { podsOf } from '#lib/probes/pods.ts';

const claim = claims('05-policy', { layer: 'policy' });

const refused = 'refused: connection refused';

const subjects = lasting(policySubjects);
afterAll(async () => subjects.end());

/** The outcome of one request without a sidecar at its start. */
const call = async ({ place }: PassingPod, url: string): Promise<string> => outcomeOf(await get(place, url));

const vmUrl = async ({ vm }: Lab): Promise<string> => `http://${await vm.address()}:8000/`;
const podUrl = ({ facts }: PassingPod): string => `http://${facts.addresses[0] ?? ''}:5000/hello`;

/** Waits until requests of a pod end so: an apply takes a moment to become rules of the node. */
async function becomes(what: string, from: PassingPod, url: string, outcome: string): Promise<void> {
  await until(
    what,
    async () => call(from, url),
    (seen) => seen === outcome,
    { within: ours.policyInForce },
  );
}

claim('policy.netpol-egress-namespace-expression', {
  given: subjects.given,

  async falsifier(lab) {
    const { vmNamespace: name } = lab.settings;
    const labelled = (namespace: string | null) => ({ metadata: { labels: { namespace } } });
    return patched(lab, `the label of the expression on namespace ${name}`, {
      ref: { apiVersion: 'v1', kind: 'Namespace', name },
      there: labelled(name),
      back: labelled(null),
    });
  },
  red: /a pod of the VM's namespace, under the policy: expected 'refused: connection refused' to be '200'/,

  async proof(lab, seen) {
    const { chosen, twin } = subjects.now();
    const vm = await vmUrl(lab);
    const others = async (when: string): Promise<void> => {
      const outcome = seen(`a pod of the VM's namespace, ${when}`, await call(chosen, podUrl(twin)));
      expect(outcome, `a pod of the VM's namespace, ${when}`).toBe('200');
    };
    const [documented] = lab.manifest('05-policy/deny-egress-tovm.yaml');
    const rules = documented?.spec?.['egress'] as { to: object[] }[];
    const variant = (egress: object[]): Resource => ({
      ...documented,
      spec: { ...documented?.spec, egress },
    });
    const elsewhere = { key: 'namespace', operator: 'NotIn', values: ['some-other-namespace'] };

    await others('before');
    expect(seen('the VM, before', await call(chosen, vm))).toBe('200');

    await using policy = await applying(lab.kube, lab.manifest('05-policy/deny-egress-tovm.yaml'));
    await becomes('the policy keeps the pod from the VM', chosen, vm, refused);
    await others('under the policy');

    const byAddress = { ipBlock: { cidr: `${await lab.vm.address()}/32` } };
    await lab.kube.apply(variant([...rules, { to: [byAddress] }]));
    await becomes('the same expression and the address of the VM let it through', chosen, vm, '200');

    await lab.kube.apply(variant([{ to: [{ namespaceSelector: { matchExpressions: [elsewhere] } }] }]));
    await becomes('an expression about another namespace keeps it from the VM as well', chosen, vm, refused);
    await others('under that variant');

    const namespaces = await lab.kube.list('v1', 'Namespace');
    const withKey = namespaces.filter(({ metadata }) => 'namespace' in (metadata?.labels ?? {}));
    expect(withKey.map(({ metadata }) => metadata?.name)).toEqual([]);

    await policy.undo();
    await becomes('the VM answers again', chosen, vm, '200');
  },
});

/** Keeps one pod of sample from the VM, and from nothing else. */
const notToVm = (address: string, except: readonly string[] = [`${address}/32`]): Resource => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'NetworkPolicy',
  metadata: { name: 'chosen-not-to-vm', namespace: 'sample' },
  spec: {
    podSelector: { matchLabels: { app: 'chosen' } },
    policyTypes: ['Egress'],
    egress: [{ to: [{ ipBlock: { cidr: '0.0.0.0/0', except } }] }],
  },
});

claim('policy.netpol-namespace-level-only', {
  given: async (lab) =>
    together(
      async () => subjects.given(lab),
      async () => applying(lab.kube, [notToVm(await lab.vm.address())]),
    ),
  falsifier: async (lab) =>
    applying(lab.kube, [notToVm(await lab.vm.address(), [])], 'the same policy without its exception'),
  red: /the policy keeps the chosen pod from the VM\. Looked \d+ times; last look: 200/,

  async proof(lab, seen) {
    const { chosen, neighbour } = subjects.now();
    const vm = await vmUrl(lab);
    await becomes('the policy keeps the chosen pod from the VM', chosen, vm, refused);

    expect(seen('its neighbour in the namespace, to the VM', await call(neighbour, vm))).toBe('200');
    expect(seen('the chosen pod, to helloworld', await call(chosen, helloworldUrl))).toBe('200');
    expect(seen('the chosen pod, to the VM', await call(chosen, vm))).toBe(refused);

    await lab.kube.remove(refOf(notToVm('')));
    await becomes('the chosen pod reaches the VM again', chosen, vm, '200');
  },
});

claim('policy.netpol-selects-pods-only', {
  given: async (lab) =>
    together(
      async () => subjects.given(lab),
      async () => applying(lab.kube, denyAll(lab)),
    ),
  // a policy of the mesh selects what a policy of the cluster cannot
  falsifier: deniedByMesh,
  red: /RBAC: access denied: expected '403' to be '200'/,

  async proof(lab, seen) {
    const { chosen, twin } = subjects.now();
    const { stdout } = await lab.kubectl(['explain', 'networkpolicy.spec']);
    const fields = [...stdout.matchAll(/^ {2}(\w+)\t/gm)].map(([, field]) => field);
    expect(seen('the fields of a NetworkPolicy', fields)).toEqual([
      'egress',
      'ingress',
      'podSelector',
      'policyTypes',
    ]);
    const [policy] = denyAll(lab);
    const unknown = { ...policy, spec: { ...policy?.spec, workloadSelector: {} } };
    const apply = ['apply', '--dry-run=server', '--validate=strict', '-f', '-'];
    await expect(lab.kubectl(apply, { input: JSON.stringify(unknown) })).rejects.toThrow(
      'strict decoding error: unknown field "spec.workloadSelector"',
    );

    // the selector fits the entry of the VM as it fits a pod
    const wanted = (policy?.spec?.['podSelector'] as { matchLabels: object }).matchLabels;
    const entry = await entryOf(lab);
    expect(seen('the labels of the entry', entry?.spec?.['labels'])).toMatchObject(wanted);
    await becomes('the pod that the policy selects is closed', chosen, podUrl(twin), refused);
    const answer = seen('the VM', await get(chosen.place, await vmUrl(lab)));
    expect(outcomeOf(answer), saidIn(answer)).toBe('200');
  },
});

claim('policy.netpol-vm-side-impossible', {
  async given(lab) {
    const address = `${await lab.vm.address()}/32`;
    const app = { matchLabels: { app: lab.settings.vmApp } };
    const policies = {
      'no-ingress': { policyTypes: ['Ingress'] },
      'no-ingress-to-app': { podSelector: app, policyTypes: ['Ingress'], ingress: [] },
      'nothing-at-all': { policyTypes: ['Ingress', 'Egress'] },
      'ingress-of-nobody': { ingress: [{ from: [{ podSelector: { matchLabels: { no: 'body' } } }] }] },
      'ingress-of-the-vm': { podSelector: app, ingress: [{ from: [{ ipBlock: { cidr: address } }] }] },
      'no-such-port': { podSelector: app, ingress: [{ ports: [{ protocol: 'TCP', port: 8001 }] }] },
    };
    const documents = Object.entries(policies).map(([name, spec]) => vmSidePolicy(lab, name, spec));
    return together(
      async () => subjects.given(lab),
      async () => applying(lab.kube, documents),
    );
  },
  falsifier: async (lab) => closedByVm(lab, 8000),
  red: /the VM, under every policy of its namespace: expected 'refused: connection refused' to be '200'/,

  async proof(lab, seen) {
    const { chosen, twin } = subjects.now();
    const vm = await vmUrl(lab);
    await becomes("a pod of the VM's namespace is closed", chosen, podUrl(twin), refused);
    const answer = await call(chosen, vm);
    expect(seen('the VM', answer), 'the VM, under every policy of its namespace').toBe('200');

    await using firewall = await closedByVm(lab, 8000);
    expect(seen(firewall.name, await call(chosen, vm))).toBe(refused);
    await firewall.undo();
    expect(seen('without that rule', await call(chosen, vm))).toBe('200');
  },
});

claim('policy.netpol-with-istio-cni', {
  requires: ['istio-cni'],
  given: async (lab) =>
    together(
      async () => subjects.given(lab),
      async () => applying(lab.kube, denyAll(lab)),
    ),
  falsifier: withoutPolicyEngine,
  red: /the pod that the policy selects is closed\. Looked \d+ times; last look: 200/,

  async proof(lab, seen) {
    const { chosen, twin } = subjects.now();
    const plugins = await lab.kube.list('apps/v1', 'DaemonSet', undefined, 'k8s-app=istio-cni-node');
    const ready = plugins.map(({ status }) => status?.['numberReady']);
    expect(seen('nodes on which the plugin is ready', ready)).toEqual([lab.nodes.length]);
    const containers = (await podsOf(lab.kube, 'sample', 'app=helloworld')).flatMap((one) => one.containers);
    expect(seen('the containers of a pod with a sidecar', containers)).not.toContain('istio-init');

    await becomes('the pod that the policy selects is closed', chosen, podUrl(twin), refused);
    expect(seen('the VM', await call(chosen, await vmUrl(lab)))).toBe('200');
  },
});
