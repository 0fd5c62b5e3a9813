import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { parse } from 'yaml';
import { attempt, run, type Output, type RunOptions } from '#lib/base/command.ts';
import { exists } from '#lib/base/files.ts';
import { settings } from '#lib/base/settings.ts';
import { temporary } from '#lib/base/temporary.ts';
import { seconds, until } from '#lib/base/until.ts';
import type { Kube } from '#lib/kube/client.ts';
import type { LocalLab } from '#lib/machines/local/lab.ts';
import { statesIn } from '#lib/machines/supervised.ts';
import { byPidFile, type NodeMachine } from '#lib/machines/node-machine.ts';
import { apiAt, keepTopology, nodePlans, type NodePlan, type Topology } from '#lib/machines/topology.ts';
import { died, revive } from './died.ts';
import type { Distribution } from './distribution.ts';
import { k3s, reachable } from './k3s.ts';

/*
 * The program that k3s stands for here notes how it is called and writes what k3s writes; it is no cluster. Nodes are
 * folders: for their commands paths below /etc, /run and /var are the folder's.
 */

const token = ['K10' + 'a'.repeat(64), 'server:0123456789abcdef'].join('::');

const standIn = `#!/bin/sh
root=\${0%/var/lib/rancher/bin/k3s}
echo "$*" >>"$root/asked"
case $1 in
server)
  [ ! -e "$root/broken" ] || { echo "token ${token}"; echo 'level=fatal msg="no memory cgroup"'; exit 1; }
  mkdir -p "$root/var/lib/rancher/k3s/server"
  echo '${token}' >"$root/var/lib/rancher/k3s/server/node-token"
  echo 'server: https://127.0.0.1:6443' >"$root/etc/rancher/k3s/k3s.yaml"
  ;;
esac
touch "$root/runs"
exec sleep 60
`;

const topology: Topology = {
  nodes: { 'k3s-master': '192.0.2.60', 'k3s-worker-1': '192.0.2.61', 'k3s-worker-2': '192.0.2.62' },
  api: apiAt('192.0.2.60'),
  vm: '192.0.2.64',
  bystander: '192.0.2.1',
};

let scratch: Awaited<ReturnType<typeof temporary>>;
let nodes: NodeMachine[];
let distribution: Distribution;
let lab: LocalLab;
const started: NodeMachine[] = [];

const api = vi.hoisted((): { kube: unknown } => ({ kube: undefined }));
vi.mock('./ready.ts', async (actual) => ({ ...(await actual()), apiReady: () => Promise.resolve(api.kube) }));
vi.mock('./kubeconfig.ts', async (actual) => ({
  ...(await actual()),
  forwardApi: () => Promise.resolve(4711),
}));

// many small programs, each of which waits for the machine's others
vi.setConfig({ testTimeout: 60_000 });

beforeEach(async () => {
  scratch = await temporary();
  const cache = join(scratch.path, 'cache');
  await mkdir(join(cache, 'archives'), { recursive: true });
  await writeFile(join(cache, 'k3s'), standIn, { mode: 0o755 });
  await writeFile(join(cache, 'k3s-airgap-images.tar.zst'), 'images');
  await writeFile(join(cache, 'archives/0.tar'), 'pilot');
  await writeFile(join(cache, 'archives/.manifest.json'), '{}');
  distribution = k3s({
    version: 'v1.27.7+k3s1',
    program: join(cache, 'k3s'),
    images: join(cache, 'k3s-airgap-images.tar.zst'),
    archives: join(cache, 'archives'),
  });
  lab = { name: 'any', dir: join(scratch.path, 'lab'), init: { pid: 0, started: '' }, addresses: topology };
  nodes = nodePlans(settings({})).map((plan) => folderNode(join(scratch.path, plan.name), plan));
  await keepTopology(lab, topology);
  for (const { dir } of nodes)
    for (const one of ['run', 'var/log']) await mkdir(join(dir, one), { recursive: true });
  api.kube = kubeOf();
});

afterEach(async () => {
  for (const node of started.splice(0))
    for (const { name } of distribution.programs) await node.endDaemon(name);
  await scratch[Symbol.asyncDispose]();
});

/** A node is registered, with its pod network, once the program that stands for k3s runs on it. */
const kubeOf = (podNetwork?: string): Pick<Kube, 'get'> => ({
  get: (async ({ name }) => {
    const node = nodes.find((one) => one.name === name);
    if (!node || !exists(join(node.dir, 'runs'))) return Promise.resolve(undefined);
    const spec = { podCIDR: podNetwork ?? node.plan.podNetwork };
    return Promise.resolve({ apiVersion: 'v1', kind: 'Node', metadata: { name: node.name }, spec });
  }) as Kube['get'],
});

function folderNode(dir: string, plan: NodePlan): NodeMachine {
  const inside = (words: readonly string[]): string[] =>
    words.map((word) => word.replace(/(^|[\s'">])(?=\/(?:etc|run|var)\/)/g, `$1${dir}`));
  const address = topology.nodes[plan.name] ?? '';
  const said = `2: enp0s1    inet ${address}/24 brd 192.0.2.255 scope global enp0s1\n`;
  const perform =
    (how: typeof run) =>
    async (words: readonly string[], options?: RunOptions): Promise<Output> =>
      words[0] === 'ip' ? { stdout: said, stderr: '', code: 0, ms: 1 } : how(inside(words), options);
  const node: NodeMachine = {
    ...{ name: plan.name, plan, dir },
    onHost: (path) => join(dir, path),
    enter: () => [],
    address: async () => Promise.resolve(address),
    run: perform(run),
    attempt: perform(attempt),
    write: async (path, content, { mode = 0o644 } = {}) => {
      await mkdir(join(dir, path, '..'), { recursive: true });
      await writeFile(join(dir, path), content, { mode });
    },
    // the control groups are those of a node of its own; all else is a file of the folder
    read: async (path) =>
      path === '/proc/1/cgroup'
        ? `0::/istio-vm-conformance/any/${plan.name}/init\n`
        : readFile(join(dir, path), 'utf8'),
    upload: async (local, remote, { mode = 0o644 } = {}) =>
      node.write(remote, await readFile(local), { mode }),
    start: async () => Promise.resolve(),
    stop: async () => Promise.resolve(),
    restart: async () => Promise.resolve(),
    size: async () => Promise.resolve(plan.size),
    daemon: async (name, words) => {
      started.push(node);
      await node.run(byPidFile.daemon(name, words));
    },
    endDaemon: async (name, signal = 'KILL') => {
      await node.attempt(byPidFile.endDaemon(name, signal));
    },
    supervised: false,
    daemons: async () => statesIn((await node.run(byPidFile.daemons())).stdout),
  };
  return node;
}

const config = async (node: NodeMachine | undefined): Promise<unknown> =>
  parse((await node?.read('/etc/rancher/k3s/config.yaml')) ?? '');

async function up(): Promise<void> {
  for (const node of nodes) await distribution.lay(node);
  await distribution.start(lab, nodes);
}

test('a server on the control plane node, agents on the workers that join with its token', async () => {
  await up();

  const asked = nodes.map(async ({ dir }) => readFile(join(dir, 'asked'), 'utf8'));
  expect(await Promise.all(asked)).toEqual(['server\n', 'agent\n', 'agent\n']);
  const [master, ...workers] = nodes;
  expect(await config(master)).toEqual({
    'node-name': 'k3s-master',
    'node-ip': '192.0.2.60',
    'flannel-iface': 'enp0s1',
    'kubelet-arg': [
      'cgroup-root=/istio-vm-conformance/any/k3s-master',
      'cgroup-driver=cgroupfs',
      'fail-swap-on=false',
      expect.stringMatching(/^system-reserved=cpu=\d+,memory=\d+Mi$/),
    ],
    disable: ['traefik'],
    'write-kubeconfig-mode': '0600',
    'advertise-address': '192.0.2.60',
    'cluster-cidr': '10.42.0.0/16',
    'service-cidr': '10.43.0.0/16',
    'cluster-dns': '10.43.0.10',
    'flannel-backend': 'host-gw',
  });
  for (const worker of workers) {
    expect(await config(worker)).toMatchObject({
      'node-name': worker.name,
      'node-ip': topology.nodes[worker.name],
      server: 'https://192.0.2.60:6443',
      token,
    });
    const file = join(worker.dir, 'etc/rancher/k3s/config.yaml');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  }

  // both kubeconfigs lead to the API server, and are for their owner alone
  const files = { 'kubeconfig.lab': 'https://192.0.2.60:6443', kubeconfig: 'https://127.0.0.1:4711' };
  for (const [name, address] of Object.entries(files)) {
    const file = join(lab.dir, name);
    expect(await readFile(file, 'utf8')).toBe(`server: ${address}\n`);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
  }
});

test('a kubeconfig that k3s would not write is refused', () => {
  expect(() => reachable('server: https://10.0.0.1:6443', topology.api)).toThrow(
    '/etc/rancher/k3s/k3s.yaml of k3s has no server https://127.0.0.1:6443.',
  );
});

test('program, air-gap images and those of the lab are laid where k3s looks for them', async () => {
  const [node] = nodes as [NodeMachine];
  await distribution.lay(node);
  // as when the machine is started again
  await distribution.lay(node);

  expect(await node.read('/var/lib/rancher/bin/k3s')).toBe(standIn);
  expect((await stat(join(node.dir, 'var/lib/rancher/bin/k3s'))).mode & 0o777).toBe(0o755);
  const images = join(node.dir, 'var/lib/rancher/k3s/agent/images');
  expect((await readdir(images)).sort()).toEqual(['k3s-airgap-images.tar.zst', 'lab-0.tar']);
});

test('machines whose folders the host does not see are brought what they do not have', async () => {
  const remote = nodes.map((node): NodeMachine => ({ ...node, onHost: () => undefined }));
  const [first] = remote as [NodeMachine];
  await first.write('/var/lib/rancher/bin/k3s', 'another', { mode: 0o755 });
  for (const node of remote) await distribution.lay(node);
  const notes: string[] = [];

  await distribution.furnish(remote, (text) => notes.push(text));

  expect(notes.filter((note) => note.includes('/bin/k3s'))).toEqual([
    '/var/lib/rancher/bin/k3s into k3s-worker-1',
    '/var/lib/rancher/bin/k3s into k3s-worker-2',
  ]);
  for (const node of remote)
    expect(await node.read('/var/lib/rancher/k3s/agent/images/lab-0.tar')).toBe('pilot');
  expect(await first.read('/var/lib/rancher/bin/k3s')).toBe('another');
});

test('a server that ends is told with the end of its log, without what is secret', async () => {
  await writeFile(join(nodes[0]?.dir ?? '', 'broken'), '');

  const error = await up().catch((thrown: unknown) => thrown);

  expect(String(error)).toMatch(
    /k3s on k3s-master ended before it wrote \/var\/lib\/rancher\/k3s\/server\/node-token\. Its log ends with: .*level=fatal msg="no memory cgroup"$/s,
  );
  expect(String(error)).not.toContain(token);
});

test('a pod network that the lab does not route to is refused by name', async () => {
  api.kube = kubeOf('10.42.7.0/24');

  await expect(up()).rejects.toThrow(
    /^k3s gave k3s-master the pod network 10\.42\.7\.0\/24, expected 10\.42\.0\.0\/24/,
  );
});

test('where the lab has no routes of its own any pod network will do', async () => {
  api.kube = kubeOf('10.42.7.0/24');
  delete lab.addresses;

  await up();

  expect(nodes.every(({ dir }) => exists(join(dir, 'runs')))).toBe(true);
});

test('a program that died is known by its name, and is started again', async () => {
  const [, worker] = nodes as [NodeMachine, NodeMachine];
  await distribution.lay(worker);
  await revive(distribution, [{ node: worker, program: 'k3s-agent' }]);
  const dead = async (good: boolean) =>
    until(
      `the agent is ${good ? 'gone' : 'there'}`,
      async () => ({ all: await died(distribution, [worker]), runs: exists(join(worker.dir, 'runs')) }),
      ({ all, runs }) => runs && all.length > 0 === good,
      { within: seconds(10) },
    );
  expect((await dead(false)).all).toEqual([]);

  await worker.run(['sh', '-c', 'kill -KILL "$(cat /run/k3s-agent.pid)"']);

  expect((await dead(true)).all).toEqual([{ node: worker, program: 'k3s-agent' }]);
});
