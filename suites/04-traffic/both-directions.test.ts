import { expect } from 'vitest';
import { ours } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import { claims } from '#lib/claims/claim.ts';
import { endConnectionsOfVm } from '#lib/layers/connections.ts';
import { bothDirections } from '#lib/layers/directions.ts';
import { inMesh } from '#lib/layers/health.ts';
import { orUndone } from '#lib/layers/passing.ts';
import { scaled } from '#lib/layers/scaled.ts';
import { podsOf } from '#lib/probes/pods.ts';

const claim = claims('04-traffic', { layer: 'apps' });

claim('traffic.bidirectional', {
  async falsifier(lab) {
    const gone = await scaled(lab, lab.settings.istioNamespace, 'istio-eastwestgateway', 0);
    // a gateway that is asked to end serves for a while
    await orUndone(gone, async () => {
      await until(
        'the gateway has ended',
        async () => podsOf(lab.kube, lab.settings.istioNamespace, 'istio=eastwestgateway'),
        (pods) => pods.length === 0,
        { within: ours.podGone, every: 200 },
      );
      await endConnectionsOfVm(lab, 15443);
    });
    return gone;
  },
  breaks: 'gateway',
  red: /vmToMesh: \{ .*'?503'?: \d+.* meshToVm: \{ '200': 20 \}/s,

  async proof(lab, seen) {
    await inMesh(lab);
    const answers = seen(
      '20 requests each way at the same time, four at once',
      await bothDirections(lab, 20),
    );

    expect(answers, JSON.stringify(answers)).toEqual({ vmToMesh: { 200: 20 }, meshToVm: { 200: 20 } });
  },
});
