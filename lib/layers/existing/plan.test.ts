import { expect, test } from 'vitest';
import { messageOf, RefusedError } from '#lib/base/errors.ts';
import { settings as readSettings } from '#lib/base/settings.ts';
import { kubeClient, type Resource } from '#lib/kube/client.ts';
import { madeUpKube } from '#lib/kube/made-up.ts';
import { temporary } from '#lib/base/temporary.ts';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lookAtCluster, type ClusterLook } from './look.ts';
import { marksOf, ownerName } from './marks.ts';
import { planForCluster, refuseProxy, refuseUnfit, type Outlook } from './plan.ts';

const settings = readSettings({});
const owner = ownerName('mine');
const cluster = 'prod (https://10.0.0.1:6443)';

/** A cluster with nothing of ours, a balanced service, and all that is needed. */
const fit: ClusterLook = {
  version: 'v1.30.1',
  nodes: ['one True', 'two True'],
  mesh: [],
  sparesStockEnvoy: true,
  namespaces: ['default', 'kube-system', 'shop'].map((name) => ({ name, madeBy: undefined })),
  balanced: [{ name: 'shop/front', addressed: true }],
  mayNot: [],
};
const outlook = (look: Partial<ClusterLook>, mesh: Outlook['mesh'] = 'refuse'): Outlook => ({
  ...{ settings, owner, cluster, mesh },
  look: { ...fit, ...look },
});
const istiod = { part: 'Deployment istio-system/istiod', madeBy: undefined };
const used = { part: 'Deployment istio-system/istiod-1-27-9', madeBy: undefined };
const crd = { part: 'CustomResourceDefinition gateways.networking.istio.io', madeBy: undefined };

test.each<[string, Partial<ClusterLook>, RegExp, Outlook['mesh']?]>([
  [
    'a mesh of somebody else',
    { mesh: [istiod, crd] },
    /^The cluster prod \(https:\/\/10\.0\.0\.1:6443\) has a mesh that this harness did not make \(Deployment istio-system\/istiod, CustomResourceDefinition gateways\.networking\.istio\.io\), and nothing is installed over it; EXISTING_MESH=use/,
  ],
  [
    'what is left of a mesh, told in short',
    {
      mesh: Array.from({ length: 14 }, (_, i) => ({ ...crd, part: `CustomResourceDefinition ${String(i)}` })),
    },
    /3 and 10 more\)/,
  ],
  [
    'namespaces of somebody else',
    {
      namespaces: [
        ...fit.namespaces,
        { name: 'sample', madeBy: undefined },
        { name: 'vmns', madeBy: undefined },
      ],
    },
    /has namespaces sample, vmns that this harness did not make, and would need for itself; remove them/,
  ],
  [
    'a lab of another machine',
    { namespaces: [{ name: 'sample', madeBy: 'mine.0badcafe' }] },
    /is in use by lab mine of this harness, run elsewhere \(mine\.0badcafe\); end that first/,
  ],
  [
    'another lab of this machine',
    { namespaces: [{ name: 'sample', madeBy: ownerName('yours') }] },
    /is in use by lab yours; end that first \(`LAB_NAME=yours npm run lab -- down`\)\.$/,
  ],
  ['no nodes', { nodes: [] }, /has no nodes\.$/],
  [
    'no node that is Ready',
    { nodes: ['one False', 'two Unknown'] },
    /None of the nodes .* Ready: one False, two Unknown\.$/,
  ],
  [
    'missing rights',
    {
      mayNot: [
        { verb: 'create', group: '', resource: 'pods/exec' },
        { verb: 'create', group: 'rbac.authorization.k8s.io', resource: 'clusterroles' },
      ],
    },
    /may not create pods\/exec, create clusterroles\.rbac\.authorization\.k8s\.io in prod/,
  ],
  [
    'no load balancer, as far as can be seen',
    { balanced: [{ name: 'shop/front', addressed: false }] },
    /No service of type LoadBalancer in prod .* has an address \(shop\/front\).*such as Klipper or MetalLB/,
  ],
  [
    'no mesh to be used',
    {},
    /EXISTING_MESH=use takes .* with Deployment istio-system\/istiod-1-27-9, and .* has no control plane;/,
    'use',
  ],
  [
    'another mesh to be used',
    { mesh: [istiod] },
    /has Deployment istio-system\/istiod; ISTIO_VERSION/,
    'use',
  ],
])('%s is refused', (_, look, message, mesh) => {
  const failed = thrownBy(() => {
    refuseUnfit(outlook(look, mesh));
  });
  expect(failed).toBeInstanceOf(RefusedError);
  expect(messageOf(failed)).toMatch(message);
});

test('a cluster that is fit is taken: bare, with a mesh to be used, or with what this lab left', () => {
  const left = { name: 'sample', madeBy: owner };
  for (const good of [
    outlook({}),
    outlook({ balanced: [] }),
    outlook({ mesh: [used, crd], namespaces: [{ name: 'istio-system', madeBy: undefined }] }, 'use'),
    outlook({ mesh: [{ ...crd, madeBy: owner }], namespaces: [left] }),
  ])
    expect(() => {
      refuseUnfit(good);
    }).not.toThrow();
});

test('a mesh whose filters the Envoy of the VM would lack is refused', () => {
  const filtering = { sparesStockEnvoy: false };
  expect(() => {
    refuseProxy(outlook(filtering, 'use'), false);
  }).toThrow(/sends filters that only Istio's own build of Envoy has.*ARTIFACT_SOURCE=release/);
  for (const [fine, istioProxyBuild] of [
    [outlook(filtering, 'use'), true],
    [outlook({}, 'use'), false],
    [outlook(filtering), false],
  ] as const)
    expect(() => {
      refuseProxy(fine, istioProxyBuild);
    }).not.toThrow();
});

test('the plan says what is made, and what is not touched', () => {
  const plan = planForCluster(outlook({})).join('\n');
  expect(plan).toContain(`cluster ${cluster}: v1.30.1, 2 node(s), as the user of the kubeconfig\n`);
  expect(plan).toContain('namespaces istio-system, vmns, sample, outside are made, and removed at the end');
  expect(plan).toContain('Istio 1.27.9 is installed as revision 1-27-9');
  expect(plan).toContain('ports 15021, 80, 443, 15022, 15013, 15018 and 15443 of the load balancer');
  expect(plan).toContain('nothing else is changed');
  expect(plan).not.toContain('earlier run');

  const again = planForCluster(outlook({ balanced: [], namespaces: [{ name: 'sample', madeBy: owner }] }));
  expect(again[0]).toContain('whether it has a load balancer cannot be seen yet');
  expect(again[1]).toContain('what an earlier run of this lab left there is removed first');

  const use = planForCluster(outlook({ mesh: [used] }, 'use')).join('\n');
  expect(use).toContain('the mesh of revision 1-27-9 in istio-system is used as it is');
  expect(use).toContain('namespaces vmns, sample, outside are made');
  expect(use).not.toContain('is installed as');
});

const version = { '/version': '{"gitVersion":"v1.30.1"}' };
const named = (kind: string, name: string, more: object = {}): Resource => ({
  kind,
  apiVersion: 'v1',
  metadata: { name },
  ...more,
});

test('a look sees whose mesh is there, and changes nothing', async () => {
  const labels = marksOf('mine');
  const kube = madeUpKube(
    [
      named('Node', 'one', { status: { conditions: [{ type: 'Ready', status: 'True' }] } }),
      named('Namespace', 'default'),
      { ...named('Namespace', 'istio-system'), metadata: { name: 'istio-system', labels } },
      named('CustomResourceDefinition', 'gateways.networking.istio.io'),
      named('CustomResourceDefinition', 'gateways.gateway.networking.k8s.io'),
      named('ClusterRole', 'istio-reader-clusterrole'),
      named('ClusterRole', 'view'),
      named('GatewayClass', 'istio', { spec: { controllerName: 'istio.io/gateway-controller' } }),
      named('GatewayClass', 'other', { spec: { controllerName: 'example.com/other' } }),
      {
        ...named('Deployment', 'istiod-1-27-9'),
        metadata: { name: 'istiod-1-27-9', namespace: 'istio-system', labels: { app: 'istiod' } },
      },
      {
        ...named('Service', 'front', {
          spec: { type: 'LoadBalancer' },
          status: { loadBalancer: { ingress: [{}] } },
        }),
        metadata: { name: 'front', namespace: 'shop' },
      },
    ],
    version,
  );
  expect(await lookAtCluster(kube, 'https://x', async () => Promise.resolve([]))).toEqual({
    version: 'v1.30.1',
    nodes: ['one True'],
    namespaces: [
      { name: 'default', madeBy: undefined },
      { name: 'istio-system', madeBy: owner },
    ],
    mesh: [
      { part: 'Deployment istio-system/istiod-1-27-9', madeBy: owner },
      { part: 'GatewayClass istio', madeBy: undefined },
      { part: 'ClusterRole istio-reader-clusterrole', madeBy: undefined },
      { part: 'CustomResourceDefinition gateways.networking.istio.io', madeBy: undefined },
    ],
    sparesStockEnvoy: false,
    balanced: [{ name: 'shop/front', addressed: true }],
    mayNot: [],
  });
  expect(kube.changes).toEqual([]);
});

test('an API server that is not there, or does not let us in, is refused in one sentence', async () => {
  await using folder = await temporary();
  const file = join(folder.path, 'kubeconfig');
  const nobody = { name: 'x', cluster: { server: 'https://127.0.0.1:1' } };
  const config = {
    clusters: [nobody],
    users: [{ name: 'x', user: {} }],
    contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
    'current-context': 'x',
  };
  await writeFile(file, JSON.stringify(config));
  const none = async () => Promise.resolve([]);
  const look = async (kube: Parameters<typeof lookAtCluster>[0]): Promise<unknown> =>
    lookAtCluster(kube, 'https://x', none).catch((error: unknown) => error);

  expect(await look(kubeClient(file))).toEqual(
    new RefusedError(
      'Nobody answers as the API server https://x: connect ECONNREFUSED 127.0.0.1:1. Can it be reached from here?',
    ),
  );
  const said = (text: string) => ({ ...madeUpKube(), raw: async () => Promise.reject(new Error(text)) });
  expect(messageOf(await look(said('GET /version of the API server: 401 Unauthorized')))).toMatch(
    /^The API server https:\/\/x does not take the credentials of this kubeconfig: .*401 Unauthorized/,
  );
  expect(messageOf(await look(said('error:1E08010C:DECODER routines::unsupported')))).toBe(
    'The API server https://x cannot be asked with this kubeconfig: error:1E08010C:DECODER routines::unsupported',
  );
  expect(messageOf(await look(madeUpKube([], { '/version': '<html>' })))).toBe(
    'What answers at https://x is no API server of Kubernetes: <html>',
  );
  const blind = {
    ...madeUpKube([], version),
    list: async () => Promise.reject(new Error('nodes is forbidden')),
  };
  expect(messageOf(await look(blind))).toMatch(
    /lets this kubeconfig's user not look at .*: nodes is forbidden/,
  );
});

function thrownBy(work: () => void): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return undefined;
}
