import { expect } from 'vitest';
import { ours } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import { claims } from '#lib/claims/claim.ts';
import { otherKubelet, withoutPodNetwork } from '#lib/layers/other-node.ts';
import { patched } from '#lib/layers/passing.ts';
import { nodesOf } from '#lib/probes/nodes.ts';

const claim = claims('01-cluster', { layer: 'cluster' });

claim('cluster.topology-1cp-2workers', {
  requires: ['own-cluster'],
  witness: true,
  async proof({ kube }, seen) {
    const nodes = seen('the nodes', await nodesOf(kube));
    const master = nodes.filter(({ roles }) => roles.includes('control-plane')).map(({ name }) => name);
    const workers = nodes.filter(({ roles }) => roles.length === 0).map(({ name }) => name);

    expect({ master, workers }).toEqual({
      master: ['k3s-master'],
      workers: ['k3s-worker-1', 'k3s-worker-2'],
    });
  },

  async falsifier(lab) {
    const labelled = (value: string | null) => ({
      metadata: { labels: { 'node-role.kubernetes.io/control-plane': value } },
    });
    return patched(lab, 'a second control plane node', {
      ref: { apiVersion: 'v1', kind: 'Node', name: 'k3s-worker-2' },
      there: labelled('true'),
      back: labelled(null),
    });
  },
  red: /master: \[ 'k3s-master', 'k3s-worker-2' \]/,
});

claim('cluster.nodes-ready', {
  requires: ['own-cluster'],
  falsifier: withoutPodNetwork,
  red: /all nodes are Ready.*'k3s-worker-2 False'/s,
  within: ours.claimWithWait,
  witness: true,

  async proof({ kube }, seen) {
    const nodes = await until(
      'all nodes are Ready',
      async () => (await nodesOf(kube)).map(({ name, ready }) => `${name} ${ready}`),
      (each) => each.every((one) => one.endsWith(' True')),
      { within: ours.nodeReadyInClaim, every: 500 },
    );

    expect(seen('Ready', nodes)).toEqual(['k3s-master True', 'k3s-worker-1 True', 'k3s-worker-2 True']);
  },
});

claim('cluster.node-roles', {
  requires: ['own-cluster'],
  async proof({ kubectl }, seen) {
    const { stdout } = await kubectl(['get', 'nodes', '--no-headers']);
    const lines = seen('kubectl get nodes', stdout).trimEnd().split('\n');
    const roles = lines
      .map((line) => line.split(/\s+/))
      .map(([name, , role]) => `${name ?? ''} ${role ?? ''}`);
    const workers = roles.slice(1).join(', ');

    // master is a habit of k3s, which the lab keeps; nothing may lean on it
    expect(roles[0]).toMatch(/^k3s-master control-plane(,master)?$/);
    expect(workers, `the workers: ${workers}`).toBe('k3s-worker-1 <none>, k3s-worker-2 <none>');
  },

  async falsifier(lab) {
    const labelled = (value: string | null) => ({
      metadata: { labels: { 'node-role.kubernetes.io/control-plane': value } },
    });
    return patched(lab, 'a worker with the role of a control plane', {
      ref: { apiVersion: 'v1', kind: 'Node', name: 'k3s-worker-1' },
      there: labelled('true'),
      back: labelled(null),
    });
  },
  red: /the workers: k3s-worker-1 control-plane, k3s-worker-2 <none>: expected/,
});

/** The Kubernetes minors that Istio announced its releases for. The program itself knows the lower end alone. */
const announced: Readonly<Record<string, string>> = { '1.24': '1.28 to 1.31', '1.27': '1.29 to 1.33' };

claim('cluster.version', {
  requires: ['own-cluster'],
  falsifier: async (lab) => otherKubelet(lab, 'v1.28.0'),
  red: /'v1\.28\.0'/,

  async proof({ kube, istioctl, settings, distribution }, seen) {
    const nodes = await nodesOf(kube);
    const versions = seen(
      'the version of each kubelet',
      nodes.map(({ version }) => version),
    );
    const { gitVersion } = JSON.parse(await kube.raw('/version')) as { gitVersion: string };

    expect(versions).toEqual(nodes.map(() => distribution.version));
    expect(seen('the version of the API server', gitVersion)).toBe(distribution.version);

    const minor = settings.istioVersion.split('.').slice(0, 2).join('.');
    seen(`what Istio ${minor} was announced for`, announced[minor] ?? 'not known here');
    const said = await istioctl(['x', 'precheck', '--istioNamespace', settings.istioNamespace]);
    const complaints = `${said.stdout}${said.stderr}`
      .split('\n')
      .filter((line) => /kubernetes version/i.test(line));
    expect(seen('what istioctl has against this version', complaints)).toEqual([]);
  },
});
