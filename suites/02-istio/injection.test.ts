import { expect } from 'vitest';
import { claims } from '#lib/claims/claim.ts';
import { change } from '#lib/kube/manifest.ts';
import { movedTo, passingNamespace } from '#lib/layers/passing.ts';
import { podFacts } from '#lib/probes/pods.ts';

const claim = claims('02-istio', { layer: 'istio' });

const namespace = 'injected-by-revision';

claim('istio.injection-by-rev-label', {
  given: async (lab) => passingNamespace(lab, namespace, { 'istio.io/rev': lab.settings.istioRevision }),

  async falsifier({ kube }) {
    const ref = { apiVersion: 'v1', kind: 'Namespace', name: namespace };
    await kube.patch(ref, { metadata: { labels: { 'istio.io/rev': 'no-such-revision' } } });
    return change('the label of a revision that does not exist', async () => Promise.resolve());
  },

  async proof({ kube, manifest, settings }, seen) {
    const pods = manifest('04-traffic/clients.yaml').filter(({ kind }) => kind === 'Pod');
    const [curl] = movedTo(namespace, pods);
    const { containers, annotations } = podFacts(await kube.apply(curl ?? {}));
    seen('the pod that was admitted', { containers, annotations });

    expect(containers).toEqual(expect.arrayContaining(['curl', 'istio-proxy']));
    expect(annotations['istio.io/rev']).toBe(settings.istioRevision);
  },
});
