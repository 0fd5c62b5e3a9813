import { ours } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import type { Change } from '#lib/kube/manifest.ts';
import { bystander } from '#lib/probes/bystander.ts';
import { get, outcomeOf } from '#lib/probes/http.ts';
import { inBackground } from './in-background.ts';
import type { Lab } from './lab.ts';

/** A host of the lab's network that is neither pod nor node, while it serves a page. */
export interface LanHost extends Change {
  readonly url: string;
}

/**
 * Serves a page from the bystander's own address, on a port on which sidecars expect HTTP, so that a request that does
 * not get through ends in an answer of Envoy that says why.
 */
export async function lanHost(lab: Lab): Promise<LanHost> {
  const own = lab.topology.bystander;
  const address = `${own}:8000`;
  const answer = String.raw`read -r _; printf "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nLAN"`;
  const listen = `TCP-LISTEN:8000,bind=${own},reuseaddr,fork`;
  const words = ['socat', listen, `SYSTEM:'${answer}'`];
  const serving = await inBackground(lab, `a web server at ${address}`, words);
  const url = `http://${address}/`;
  await until(
    `${url} answers`,
    async () => outcomeOf(await get(bystander(lab), url)),
    (outcome) => outcome === '200',
    { within: ours.serverAnswers },
  );
  return { ...serving, url };
}
