import { copyFile, link, mkdir, readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { ours } from '#lib/base/deadlines.ts';
import { redact } from '#lib/base/redact.ts';
import { until } from '#lib/base/until.ts';
import type { Kube } from '#lib/kube/client.ts';
import type { LocalLab } from '#lib/machines/local/lab.ts';
import type { NodeMachine } from '#lib/machines/node-machine.ts';
import { topologyOf } from '#lib/machines/topology.ts';
import { controlPlaneOf, type Distribution } from './distribution.ts';
import { agentConfig, configFile, serverConfig, type OnNode } from './k3s-config.ts';
import { forwardApi, writeKubeconfigs } from './kubeconfig.ts';
import { kubeletPlace } from './node-services.ts';
import { apiReady, nodesWithout } from './ready.ts';

/** A release of k3s, on the host. */
interface Parts {
  version: string;
  /** Its program. */
  program: string;
  /** The archive of its own images. */
  images: string;
  /** A folder of archives of the lab's images. */
  archives: string;
}

const data = '/var/lib/rancher/k3s';
/** Beside its data, since /usr of a local node is the host's. */
const program = '/var/lib/rancher/bin/k3s';
/** Whatever lies here is imported when k3s starts. */
const images = `${data}/agent/images`;
const token = `${data}/server/node-token`;
const kubeconfig = '/etc/rancher/k3s/k3s.yaml';

/** The two ways in which k3s runs; each is called as its unit of systemd would be. */
const [server, agent] = ['k3s', 'k3s-agent'] as const;

/**
 * k3s as the article has it: a server on the control plane node, agents on the workers that join with its node token,
 * everything of its own on but Traefik. What it needs is laid beside it, so nothing is asked of a registry.
 */
export const k3s = (parts: Parts): Distribution => ({
  name: 'k3s',
  version: parts.version,
  features: ['k3s', 'klipper', 'netpol-engine'],
  signingKey: `${data}/server/tls/service.current.key`,
  programs: [
    {
      name: server,
      on: 'control-plane',
      start: async (node) => node.daemon(server, [program, 'server']),
    },
    { name: agent, on: 'worker', start: async (node) => node.daemon(agent, [program, 'agent']) },
  ],
  lay: async (node) => lay(node, parts),
  furnish: async (nodes, note) => furnish(nodes, parts, note),
  start,
});

/** Each file that k3s starts with, on the host -> where the node has it. */
async function files({ program: own, images: air, archives }: Parts): Promise<[string, string][]> {
  const ofLab = (await readdir(archives)).filter((name) => name.endsWith('.tar'));
  return [
    [own, program],
    [air, join(images, basename(air))],
    ...ofLab.map((name): [string, string] => [join(archives, name), join(images, `lab-${name}`)]),
  ];
}

async function lay(node: NodeMachine, parts: Parts): Promise<void> {
  for (const [from, path] of await files(parts)) {
    const to = node.onHost(path);
    if (to === undefined) return;
    await mkdir(dirname(to), { recursive: true });
    // a machine that is started again has it, and it may be the very file
    await rm(to, { force: true });
    // the cache may be on another disk
    await link(from, to).catch(async () => copyFile(from, to));
  }
}

async function furnish(
  nodes: readonly NodeMachine[],
  parts: Parts,
  note: (text: string) => void,
): Promise<void> {
  for (const [from, path] of await files(parts)) {
    // one after the other: each takes the whole of the way
    for (const node of await nodesWithout(nodes, path)) {
      note(`${path} into ${node.name}`);
      await node.upload(from, path, { mode: path === program ? 0o755 : 0o644 });
    }
  }
}

async function start(lab: LocalLab, nodes: readonly NodeMachine[]): Promise<Kube> {
  const master = controlPlaneOf(nodes);
  const { api } = topologyOf(lab);
  await master.write(configFile, serverConfig(await onNode(master)), { mode: 0o600 });
  await master.daemon(server, [program, 'server']);
  const port = await forwardApi(lab);
  for (const file of [token, kubeconfig]) await written(master, server, file);
  const joining = (await text(master, token)).trim();
  await writeKubeconfigs(lab, reachable(await text(master, kubeconfig), api), port);
  const kube = await apiReady(lab);
  await registered(kube, lab, master, server);
  // one after the other, so that each gets the pod network that the lab has routes to
  for (const node of nodes.filter((one) => one !== master)) {
    const config = agentConfig(await onNode(node), { url: api, token: joining });
    await node.write(configFile, config, { mode: 0o600 });
    await node.daemon(agent, [program, 'agent']);
    await registered(kube, lab, node, agent);
  }
  return kube;
}

/** k3s writes its kubeconfig for clients on its own node; elsewhere the server has the node's address. */
export function reachable(admin: string, api: string): string {
  const own = 'https://127.0.0.1:6443';
  if (!admin.includes(own)) throw new Error(`${kubeconfig} of k3s has no server ${own}.`);
  return admin.replace(own, api);
}

const text = async (node: NodeMachine, path: string): Promise<string> =>
  (await node.run(['cat', path], { secret: true })).stdout;

/** Waits until a program of a node has written a file. */
async function written(node: NodeMachine, name: string, path: string): Promise<void> {
  await brought(node, name, `wrote ${path}`, async () =>
    (await node.attempt(['test', '-s', path])).code === 0 ? path : undefined,
  );
}

/** Waits until a node is registered, with the pod network that the lab has routes to when these are its own. */
async function registered(kube: Kube, lab: LocalLab, node: NodeMachine, name: string): Promise<void> {
  const { podNetwork } = node.plan;
  const seen = await brought(node, name, 'registered its node with a pod network', async () => {
    const found = await kube.get({ apiVersion: 'v1', kind: 'Node', name: node.name });
    return found?.spec?.['podCIDR'] as string | undefined;
  });
  if (seen === podNetwork || !lab.addresses) return;
  throw new Error(
    `k3s gave ${node.name} the pod network ${seen}, expected ${podNetwork}, which the lab routes to; \`npm run lab -- up --recreate\` begins anew.`,
  );
}

/**
 * Looks until something is there that a program of a node brings about.
 *
 * @throws Error with the end of its log when the program ends before that
 */
async function brought<T>(
  node: NodeMachine,
  name: string,
  what: string,
  look: () => Promise<T | undefined>,
): Promise<T> {
  const { found } = await until(
    `${name} on ${node.name} ${what} (\`npm run lab -- logs ${node.name}\` tells why not)`,
    async () => {
      const seen = await look();
      if (seen !== undefined) return { found: seen };
      // where a supervisor starts it again, its ends are told and counted by whoever brings up the layer
      if (node.supervised || (await node.daemons()).get(name)?.state !== 'ended') return { found: undefined };
      const { stdout } = await node.run(['tail', '-n', '5', `/var/log/${name}.log`]);
      return { found: undefined, log: redact(stdout.trim()) };
    },
    ({ found: seen, log }: { found: T | undefined; log?: string }) => {
      if (log !== undefined)
        throw new Error(`${name} on ${node.name} ended before it ${what}. Its log ends with: ${log}`);
      return seen !== undefined;
    },
    { within: ours.nodesReady, every: 200 },
  );
  return found as T;
}

/** What a node's configuration depends on. Its interface is found by its address: providers name it as they like. */
async function onNode(node: NodeMachine): Promise<OnNode> {
  const { name } = node;
  const address = await node.address();
  const { stdout } = await node.run(['ip', '-4', '-o', 'address', 'show', 'to', `${address}/32`]);
  const iface = /^\d+:\s+([^\s@]+)/.exec(stdout)?.[1];
  if (iface === undefined) throw new Error(`Machine ${name} has no interface with ${address}.`);
  const { cgroupRoot, systemReserved } = await kubeletPlace(node);
  return { name, address, iface, cgroupRoot, systemReserved };
}
