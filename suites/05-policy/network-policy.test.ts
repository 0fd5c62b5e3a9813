import { afterAll, expect } from 'vitest';
import { ours } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import { claims } from '#lib/claims/claim.ts';
import { applying, change, refOf, type Change } from '#lib/kube/manifest.ts';
import { lookalike, newClient } from '#lib/layers/client-pod.ts';
import { externalAppUrl, helloworldUrl } from '#lib/layers/directions.ts';
import type { Lab } from '#lib/layers/lab.ts';
import { lanHost } from '#lib/layers/lan-host.ts';
import { lasting } from '#lib/layers/lasting.ts';
import { sideBySide } from '#lib/layers/passing.ts';
import { denyAll, guardedFromVm, withoutPolicyEngine } from '#lib/layers/network-policies.ts';
import { accessLogOfPod, accessMarked, marked, newMark } from '#lib/probes/access-log.ts';
import { get, outcomeOf, saidIn } from '#lib/probes/http.ts';
import { nslookup } from '#lib/probes/nslookup.ts';
import { pod } from '#lib/probes/places.ts';
import { podsOf } from '#lib/probes/pods.ts';

const claim = claims('05-policy', { layer: 'policy' });

const refused = 'refused: connection refused';

claim('policy.netpol-engine-live', {
  falsifier: withoutPolicyEngine,
  breaks: 'cluster',
  red: /the pod is closed.*last look: 200/s,

  async proof(lab, seen) {
    const outsider = pod(lab, 'outside', 'curl', 'curl');
    const addressesOf = async (labels: string): Promise<string[]> =>
      (await podsOf(lab.kube, 'sample', labels)).flatMap(({ addresses }) => addresses.slice(0, 1));
    const [v1 = ''] = await addressesOf('app=helloworld,version=v1');
    const closing = `http://${v1}:5000/hello`;
    // those of the same app that the policy does not select, as far as there are any, and one of another
    const open = [
      ...(await addressesOf('app=helloworld,version!=v1')).map((one) => `http://${one}:5000/hello`),
      ...(await addressesOf('app=curl')).map((one) => `http://${one}:15021/healthz/ready`),
    ];
    const call = async (url: string): Promise<string> => outcomeOf(await get(outsider, url));
    const calls = async (): Promise<string[]> => Promise.all(open.map(call));
    const good = open.map(() => '200');
    expect(good.length).toBeGreaterThan(0);
    expect(seen('before', [await call(closing), ...(await calls())])).toEqual(['200', ...good]);

    const applied = performance.now();
    const labels = { app: 'helloworld', version: 'v1' };
    const policy = await applying(lab.kube, denyAll(lab, { namespace: 'sample', labels }));
    try {
      await until(
        'the pod is closed',
        async () => call(closing),
        (outcome) => outcome === refused,
        {
          within: ours.policyInForce,
        },
      );
      seen('closed after, in ms', Math.round(performance.now() - applied));
      expect(seen('with the policy', [await call(closing), ...(await calls())])).toEqual([refused, ...good]);
    } finally {
      await policy.undo();
    }

    const deleted = performance.now();
    await until(
      'the pod is open',
      async () => call(closing),
      (outcome) => outcome === '200',
      {
        within: ours.policyInForce,
      },
    );
    seen('open again after, in ms', Math.round(performance.now() - deleted));
  },
});

claim('policy.netpol-pod-selector-no-effect', {
  falsifier: withoutPolicyEngine,
  breaks: 'cluster',
  red: /the lookalike is closed.*last look: 200/s,

  async proof(lab, seen) {
    await using pods = await sideBySide(lookalike(lab), newClient(lab));
    const [twin, client] = pods.made;
    const outsider = pod(lab, 'outside', 'curl', 'curl');
    const callTwin = async (): Promise<string> =>
      outcomeOf(await get(outsider, `http://${twin.facts.addresses[0] ?? ''}:5000/hello`));
    await until('the lookalike answers', callTwin, (outcome) => outcome === '200', {
      within: ours.serverAnswers,
    });

    await using policy = await applying(lab.kube, denyAll(lab));
    // where the same selector finds a pod, the policy is in force
    await until('the lookalike is closed', callTwin, (outcome) => outcome === refused, {
      within: ours.policyInForce,
    });
    seen('in force, as a pod with the label of the VM shows', policy.name);

    const answer = seen('the VM, from a new pod in sample', await get(client.place, externalAppUrl(lab)));
    expect(outcomeOf(answer), saidIn(answer)).toBe('200');
    expect(answer).toMatchObject({ headers: { server: 'envoy' } });
    expect(seen('the pod once more', await callTwin())).toBe(refused);
  },
});

const guarded = lasting(guardedFromVm);
afterAll(async () => guarded.end());

/** The same for the claim that takes the policy away: made anew if that has been done. */
async function guardedAnew(lab: Lab): Promise<Change> {
  const made = await guarded.given(lab);
  const [policy] = lab.manifest('05-policy/deny-egress-tovm.yaml');
  if (policy && (await lab.kube.get(refOf(policy)))) return made;
  await guarded.end();
  return guarded.given(lab);
}

claim('policy.netpol-egress-blocks-vm', {
  red: /expected '200' to be '503'/,
  given: guarded.given,
  falsifier: async ({ kube, manifest }) => {
    const documents = manifest('05-policy/deny-egress-tovm.yaml');
    for (const document of documents) await kube.remove(refOf(document));
    // over the connection that the client then makes it would be answered under the policy too
    return change('deny-egress-tovm deleted', async () => guarded.end());
  },

  async proof(lab, seen) {
    const { client } = guarded.now();
    const mark = newMark();
    const answer = seen('the answer', await get(client.place, externalAppUrl(lab), marked(mark)));

    expect(outcomeOf(answer)).toBe('503');
    // from Envoy 1.38.1 on the transport's reason is in the access log alone
    expect(answer).toHaveProperty(
      'body',
      expect.stringMatching(
        /^upstream connect error or disconnect\/reset before headers\. (retried and the latest )?reset reason: remote connection failure(, transport failure reason: delayed connect error: (111|Connection refused))?$/,
      ),
    );
    const [access] = await accessMarked(mark, accessLogOfPod(lab.kube, 'sample', client.facts.name));
    expect(seen('how it was sent', access)).toMatchObject({
      status: '503',
      flags: expect.stringMatching(/\bUF\b/) as string,
      upstream: `${await lab.vm.address()}:8000`,
    });
    expect(`${access?.details ?? ''} ${access?.transportFailure ?? ''}`).toContain(
      'delayed_connect_error:_Connection_refused',
    );
  },
});

claim('policy.netpol-egress-collateral', {
  given: guarded.given,
  falsifier: async ({ kube, manifest }) => {
    const documents = manifest('05-policy/deny-egress-tovm.yaml');
    const nowhere = { namespaceSelector: { matchLabels: { 'no-such': 'label' } } };
    for (const document of documents) {
      await kube.apply({ ...document, spec: { ...document.spec, egress: [{ to: [nowhere] }] } });
    }
    return change('a peer that matches nothing', async () => {
      for (const document of documents) await kube.apply(document);
    });
  },
  red: /'a name, by DNS', '(?!200)/,

  async proof(lab, seen) {
    const { settings } = lab;
    const { client } = guarded.now();
    await using lan = await lanHost(lab);
    const istiod = `http://istiod-${settings.istioRevision}.${settings.istioNamespace}:15014/version`;
    // that the pod became ready under the policy took DNS, a certificate and configuration from istiod
    const [dns, other, hello] = await Promise.all([
      get(client.place, helloworldUrl),
      get(client.place, istiod),
      get(lab.vm, helloworldUrl),
    ]);
    const outcomes = { 'a name, by DNS': dns, 'istiod from sample': other, 'helloworld from the VM': hello };
    for (const [what, answer] of Object.entries(outcomes)) {
      expect([what, seen(what, outcomeOf(answer))]).toEqual([what, '200']);
    }
    const lookup = await nslookup(client.place, 'kubernetes.default.svc.cluster.local');
    expect([seen('nslookup in sample', lookup.stdout), lookup.code]).toEqual([
      expect.stringMatching(/Address.*: 10\.43\.0\.1\b/),
      0,
    ]);
    const proxies = (await lab.istioctl(['proxy-status'])).stdout.split('\n');
    const line = seen(
      'its stream',
      proxies.find((one) => one.startsWith(`${client.facts.name}.sample`)),
    );
    expect(line).toBeDefined();

    const mark = newMark();
    const outside = await get(pod(lab, 'outside', 'curl', 'curl'), lan.url);
    const blocked = await get(client.place, lan.url, marked(mark));
    expect(seen('a host of the network, from another namespace', outcomeOf(outside))).toBe('200');
    expect(seen('the same host from sample', outcomeOf(blocked))).toBe('503');
    const [access] = await accessMarked(mark, accessLogOfPod(lab.kube, 'sample', client.facts.name));
    expect(seen('how it was sent', access)).toMatchObject({
      flags: expect.stringMatching(/\bUF\b/) as string,
      cluster: 'PassthroughCluster',
    });
  },
});

claim('policy.netpol-delete-restores', {
  given: guardedAnew,
  red: /the VM answers again.*status: 503/s,
  falsifier: async ({ kube, manifest }) => {
    const documents = manifest('05-policy/deny-egress-tovm.yaml');
    const stays = documents.map((one) => ({ ...one, metadata: { name: 'stays', namespace: 'sample' } }));
    return applying(kube, stays, 'the same policy under another name');
  },

  async proof(lab, seen) {
    const { client, unguard } = guarded.now();
    const call = async () => get(client.place, externalAppUrl(lab));
    expect(seen('with the policy', outcomeOf(await call()))).toBe('503');

    await unguard();
    const deleted = performance.now();
    const answer = await until('the VM answers again', call, (one) => outcomeOf(one) === '200', {
      within: ours.policyGone,
      every: 300,
    });
    seen('restored after, in ms', Math.round(performance.now() - deleted));
    expect(answer).toHaveProperty('body', expect.stringContaining('<title>Directory listing for /</title>'));
  },
});
