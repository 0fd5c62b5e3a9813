import { expect } from 'vitest';
import { minutes, seconds, until } from '#lib/base/until.ts';
import { claims } from '#lib/claims/claim.ts';
import type { Lab } from '#lib/layers/lab.ts';
import { registered, runningSidecar, stopSidecar } from '#lib/layers/sidecar.ts';
import { startSidecar } from '#lib/layers/workload.ts';

const claim = claims('04-traffic', { layer: 'apps' });

/** The entries in the VM's namespace, as <name> <address>. */
async function entries({ kube, settings }: Lab): Promise<string[]> {
  const found = await kube.list('networking.istio.io/v1', 'WorkloadEntry', settings.vmNamespace);
  return found.map(({ metadata, spec }) => `${metadata?.name ?? ''} ${String(spec?.['address'])}`);
}

async function expected({ vm, settings }: Lab): Promise<string> {
  const address = await vm.address();
  return `${settings.vmApp}-${address}-${settings.vmNetwork} ${address}`;
}

claim('traffic.we-name-and-address', {
  async proof(lab, seen) {
    const listed = await entries(lab);
    const words = ['get', 'workloadentry', '-n', lab.settings.vmNamespace];
    const table = seen('kubectl get workloadentry', (await lab.kubectl(words)).stdout)
      .trim()
      .split('\n');

    expect(listed).toEqual([await expected(lab)]);
    expect(table.map((row) => row.split(/\s+/))).toEqual([
      ['NAME', 'AGE', 'ADDRESS'],
      [listed[0]?.split(' ')[0], expect.stringMatching(/^\d/), await lab.vm.address()],
    ]);
  },
});

claim('traffic.we-only-while-agent-runs', {
  given: runningSidecar,
  within: minutes(2),

  async proof(lab, seen) {
    const there = [await expected(lab)];
    expect(seen('while the agent runs', await entries(lab))).toEqual(there);

    const stopping = performance.now();
    await stopSidecar(lab);
    const stopped = performance.now();
    await until(
      'the WorkloadEntry is gone',
      async () => entries(lab),
      (seenNow) => seenNow.length === 0,
      { within: seconds(30), every: 100 },
    );
    const gone = performance.now();
    // the ten seconds of grace begin with the disconnect, which is somewhere in the stop
    expect(seen('gone after the stop began, in ms', Math.round(gone - stopping))).toBeGreaterThan(
      seconds(9.5),
    );
    expect(seen('gone after the stop ended, in ms', Math.round(gone - stopped))).toBeLessThan(seconds(15));

    await startSidecar(lab);
    await registered(lab);
    expect(seen('when the agent runs again', await entries(lab))).toEqual(there);
  },
});
