import { expect } from 'vitest';
import { claims } from '#lib/claims/claim.ts';
import { movedTo, passingNamespace, patched } from '#lib/layers/passing.ts';
import { podFacts } from '#lib/probes/pods.ts';

const claim = claims('02-istio', { layer: 'istio' });

const namespace = 'injected-by-revision';

claim('istio.injection-by-rev-label', {
  given: async (lab) => passingNamespace(lab, namespace, { 'istio.io/rev': lab.settings.istioRevision }),

  async falsifier(lab) {
    const labelled = (revision: string) => ({ metadata: { labels: { 'istio.io/rev': revision } } });
    const ref = { apiVersion: 'v1', kind: 'Namespace', name: namespace };
    const [there, back] = [labelled('no-such-revision'), labelled(lab.settings.istioRevision)];
    return patched(lab, 'the label of a revision that does not exist', { ref, there, back });
  },
  red: /expected \[ 'curl' \] to deeply equal/,

  async proof({ kube, manifest, settings }, seen) {
    const pods = manifest('04-traffic/clients.yaml').filter(({ kind }) => kind === 'Pod');
    const [curl] = movedTo(namespace, pods);
    await kube.remove({ apiVersion: 'v1', kind: 'Pod', namespace, name: 'curl' }, 0);
    const { containers, annotations } = podFacts(await kube.apply(curl ?? {}));
    seen('the pod that was admitted', { containers, annotations });

    expect(containers).toEqual(expect.arrayContaining(['curl', 'istio-proxy']));
    expect(annotations['istio.io/rev']).toBe(settings.istioRevision);
  },
});
