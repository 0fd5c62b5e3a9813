import { ours } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import { applying, change, type Change } from '#lib/kube/manifest.ts';
import { inboundChains, plaintext, type InboundChain } from '#lib/probes/inbound-chains.ts';
import { pod, type Place } from '#lib/probes/places.ts';
import { podsOf } from '#lib/probes/pods.ts';
import type { Lab } from './lab.ts';
import { movedTo } from './passing.ts';

/** The sidecars whose inbound listeners are looked at: the VM's, and that of one pod of helloworld. */
export async function twoSidecars(lab: Lab): Promise<Place[]> {
  const [hello] = await podsOf(lab.kube, 'sample', 'app=helloworld');
  return [lab.vm, pod(lab, 'sample', hello?.name ?? '', 'istio-proxy')];
}

/** Waits until sidecars take plaintext, or no more. Returns their chains. */
export async function takingPlaintext(
  proxies: readonly Place[],
  wanted: boolean,
): Promise<Record<string, InboundChain[]>> {
  return until(
    `the sidecars of ${proxies.map(({ name }) => name).join(' and ')} take ${wanted ? 'plaintext' : 'TLS alone'}`,
    async () =>
      Object.fromEntries(
        await Promise.all(proxies.map(async (proxy) => [proxy.name, await inboundChains(proxy)] as const)),
      ),
    (seen) =>
      Object.values(seen).every((chains) => chains.length > 0 && plaintext(chains).length > 0 === wanted),
    { within: ours.meshLearns, every: 200 },
  );
}

/** The article's PeerAuthentication; whether it comes into force is for the proofs to see. After the undo it is not. */
export async function strictMtls(lab: Lab): Promise<Change> {
  const applied = await applying(lab.kube, lab.manifest('05-policy/strict.yaml'));
  return change(applied.name, async () => {
    await applied.undo();
    await takingPlaintext(await twoSidecars(lab), true);
  });
}

/** STRICT of the mesh taken back, and put into a namespace that is not looked at. */
export async function strictElsewhere(lab: Lab): Promise<Change> {
  const documents = lab.manifest('05-policy/strict.yaml');
  const elsewhere = await applying(lab.kube, movedTo('outside', documents));
  const proxies = await twoSidecars(lab);
  const [{ metadata } = {}] = documents;
  await lab.kube.remove({
    apiVersion: 'security.istio.io/v1',
    kind: 'PeerAuthentication',
    name: metadata?.name ?? '',
    namespace: metadata?.namespace ?? '',
  });
  await takingPlaintext(proxies, true);
  return change('STRICT in namespace outside alone', async () => {
    await elsewhere.undo();
    for (const document of documents) await lab.kube.apply(document);
  });
}
