import { expect } from 'vitest';
import { claims } from '#lib/claims/claim.ts';
import { scaled } from '#lib/layers/scaled.ts';
import { podsOf } from '#lib/probes/pods.ts';

const claim = claims('04-traffic', { layer: 'apps' });

claim('traffic.helloworld-pods-ready', {
  falsifier: async (lab) => scaled(lab, 'sample', 'helloworld-v2', 0),
  red: /\[ \[ '2\/2', 'Running' \](, \[ '\d\/2', '(Terminating|Completed)' \])? \]/,
  witness: true,

  async proof(lab, seen) {
    const words = ['get', 'pods', '-n', 'sample', '-l', 'app=helloworld', '--no-headers'];
    const listed = seen('kubectl get pods', (await lab.kubectl(words)).stdout);
    const columns = listed
      .trim()
      .split('\n')
      .map((line) => line.split(/\s+/).slice(1, 3));
    expect(columns).toEqual([
      ['2/2', 'Running'],
      ['2/2', 'Running'],
    ]);

    const pods = await podsOf(lab.kube, 'sample', 'app=helloworld');
    const facts = pods.map(({ labels, containers }) => ({ version: labels['version'], containers }));
    seen('versions and containers', facts);
    expect(facts.map(({ version }) => version).toSorted()).toEqual(['v1', 'v2']);
    for (const { containers } of facts) {
      expect(containers).toEqual(expect.arrayContaining(['helloworld', 'istio-proxy']));
    }
  },
});
