import { expect } from 'vitest';
import { claims } from '#lib/claims/claim.ts';
import { entriesOf, entryLine } from '#lib/layers/sidecar.ts';

const claim = claims('04-traffic', { layer: 'apps' });

claim('traffic.we-name-and-address', {
  async proof(lab, seen) {
    const listed = await entriesOf(lab);
    const words = ['get', 'workloadentry', '-n', lab.settings.vmNamespace];
    const table = seen('kubectl get workloadentry', (await lab.kubectl(words)).stdout)
      .trim()
      .split('\n');

    expect(listed).toEqual([entryLine(lab, await lab.vm.address())]);
    expect(table.map((row) => row.split(/\s+/))).toEqual([
      ['NAME', 'AGE', 'ADDRESS'],
      [listed[0]?.split(' ')[0], expect.stringMatching(/^\d/), await lab.vm.address()],
    ]);
  },
});
