import { expect } from 'vitest';
import { minutes, seconds, until } from '#lib/base/until.ts';
import { claims } from '#lib/claims/claim.ts';
import type { Resource } from '#lib/kube/client.ts';
import type { Lab } from '#lib/layers/lab.ts';
import { together } from '#lib/layers/passing.ts';
import { redirectsKept } from '#lib/layers/redirects-kept.ts';
import { entryOf, killSidecar, registered, runningSidecar } from '#lib/layers/sidecar.ts';
import { startSidecar } from '#lib/layers/workload.ts';

const claim = claims('04-traffic', { layer: 'apps' });

/** The entries in the VM's namespace, as <name> <address>. */
async function entries({ kube, settings }: Lab): Promise<string[]> {
  const found = await kube.list('networking.istio.io/v1', 'WorkloadEntry', settings.vmNamespace);
  return found.map(({ metadata, spec }) => `${metadata?.name ?? ''} ${String(spec?.['address'])}`);
}

/** When istiod saw the connection end, in milliseconds since 1970; 0 as long as it stands. */
function disconnectedAt(entry: Resource | undefined): number {
  return Date.parse(entry?.metadata?.annotations?.['istio.io/disconnectedAt'] ?? '') || 0;
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
  given: async (lab) =>
    together(
      async () => runningSidecar(lab),
      async () => redirectsKept(lab),
    ),
  within: minutes(2),

  async proof(lab, seen) {
    const there = [await expected(lab)];
    expect(seen('while the agent runs', await entries(lab))).toEqual(there);

    await killSidecar(lab);
    const disconnected = await until(
      'istiod has noticed that the VM is disconnected',
      async () => disconnectedAt(await entryOf(lab)),
      (at) => at > 0,
      { within: seconds(10), every: 100 },
    );
    await until(
      'the WorkloadEntry is gone',
      async () => entries(lab),
      (left) => left.length === 0,
      { within: seconds(30), every: 100 },
    );
    const gone = seen('gone after the disconnect, in ms', Date.now() - disconnected);
    expect(gone).toBeGreaterThan(seconds(9.5));
    expect(gone).toBeLessThan(seconds(15));

    await startSidecar(lab);
    await registered(lab);
    expect(seen('when the agent runs again', await entries(lab))).toEqual(there);
  },
});
