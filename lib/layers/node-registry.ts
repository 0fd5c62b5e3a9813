import { ours } from '#lib/base/deadlines.ts';
import { ownProgram } from '#lib/base/own-program.ts';
import { until } from '#lib/base/until.ts';
import { change, type Change } from '#lib/kube/manifest.ts';
import { bystander } from '#lib/probes/bystander.ts';
import { get, outcomeOf } from '#lib/probes/http.ts';
import { inBackground } from './in-background.ts';
import type { Lab } from './lab.ts';
import { orUndone } from './passing.ts';

const port = 5000;
const hosts = '/etc/containerd/certs.d/docker.io';

/** containerd 1.6 wants the table even when nothing is in it; a `server` alone leaves no other host to try. */
const hostsFile = (address: string): string => `server = "http://${address}"\n[host]\n`;

/**
 * Makes a node find docker.io at a registry in the lab, which has every image for one architecture alone. What the
 * node has already it does not ask for.
 *
 * @param architecture in the words of images, such as arm64
 */
export async function registryOfOnly(
  lab: Lab,
  node: Lab['nodes'][number],
  architecture: string,
): Promise<Change> {
  const own = lab.topology.bystander;
  const address = `${own}:${String(port)}`;
  const program = [...ownProgram('lib/layers/serve-image.ts'), lab.programs.arm64.proxyImage];
  const registry = await inBackground(lab, `docker.io for ${architecture} alone`, [
    ...program,
    architecture,
    own,
    String(port),
  ]);
  const serving = change(registry.name, async () => {
    await registry.undo();
    await node.run(['rm', '-rf', hosts]);
  });
  return orUndone(serving, async () => {
    await node.run(['mkdir', '-p', hosts]);
    await node.write(`${hosts}/hosts.toml`, hostsFile(address));
    await until(
      `the registry at ${address} answers`,
      async () => outcomeOf(await get(bystander(lab), `http://${address}/v2/`)),
      (outcome) => outcome === '200',
      { within: ours.serverAnswers, every: 100 },
    );
    return serving;
  });
}

/** Gives an image that a node has a second name; the undo takes that away. */
export async function alsoNamed(node: Lab['nodes'][number], image: string, name: string): Promise<Change> {
  const images = ['ctr', '--namespace', 'k8s.io', 'images'];
  await node.run([...images, 'tag', '--force', image, name]);
  return change(`${image} as ${name}`, async () => {
    await node.run([...images, 'rm', name]);
  });
}
