import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { attempt, run, type Output, type RunOptions } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { exists, writeAtomic } from '#lib/base/files.ts';
import type { Size } from '#lib/base/settings.ts';
import { until } from '#lib/base/until.ts';
import type { FileOptions, Machine } from '#lib/machines/machine.ts';
import { inNode, type NodeMachine } from '#lib/machines/node-machine.ts';
import { startWords, stateWords, statesIn, stopWords } from '#lib/machines/supervised.ts';
import type { NodePlan, Topology } from '#lib/machines/topology.ts';
import { readFileSync } from 'node:fs';
import { isVersion2, labGroup } from './cgroups.ts';
import { addressesOf, enterLab, script, type LocalLab } from './lab.ts';

/** What systemd tells a service, such as a runner, and k3s and others take for theirs. */
const unset = [
  'INVOCATION_ID',
  'JOURNAL_STREAM',
  'NOTIFY_SOCKET',
  'LISTEN_FDS',
  'LISTEN_PID',
  'WATCHDOG_USEC',
].flatMap((name) => ['-u', name]);

/**
 * A light machine: pid, mount, uts, ipc and network namespaces of its own and a control group with its size.
 *
 * @param programs folder of the Kubernetes programs, seen inside as /opt/kubernetes
 */
export function nodeMachine(lab: LocalLab, plan: NodePlan, programs: string): NodeMachine {
  const dir = join(lab.dir, 'machines', plan.name);
  const pidFile = join(dir, 'var/node.pid');
  const group = (): string => `${labGroup(lab)}/${plan.name}`;
  const groups = (...words: string[]): string[] => ['bash', script('cgroups.sh'), ...words];

  const enter = (): string[] => {
    if (!exists(pidFile)) throw new Error(`Machine ${plan.name} does not run.`);
    const pid = readFileSync(pidFile, 'utf8').trim();
    return [
      ...enterLab(lab),
      'nsenter',
      '-t',
      pid,
      ...['-m', '-u', '-i', '-n', '-p', ...(isVersion2() ? ['-C'] : [])],
      '--',
      ...['env', ...unset, `PATH=${inNode.path}`],
    ];
  };
  const inside = async (
    how: typeof run,
    words: readonly string[],
    { cwd, ...options }: RunOptions = {},
  ): Promise<Output> =>
    how([...enter(), ...(cwd === undefined ? [] : ['env', '-C', cwd]), ...words], {
      ...options,
      shown: [`${plan.name}:`, ...words],
      wholeTree: true,
    });
  const machine: NodeMachine = {
    name: plan.name,
    plan,
    enter,
    dir,
    onHost: (path) => join(dir, path),
    address: async () => {
      const { stdout } = await machine.run(['ip', '-4', '-o', 'address', 'show', 'dev', 'eth0']);
      const address = /inet ([\d.]+)\//.exec(stdout)?.[1];
      if (address === undefined)
        throw new Error(`Machine ${plan.name} has no IPv4 address on eth0: ${stdout}`);
      return address;
    },
    run: async (words, options) => inside(run, words, options),
    attempt: async (words, options) => inside(attempt, words, options),
    write: async (file, content, options) => put(machine, file, content, options),
    read: async (file, from = 0) => (await machine.run(['tail', '-c', `+${String(from + 1)}`, file])).stdout,
    upload: async (local, remote, options) => put(machine, remote, readFileSync(local), options),
    start: async () => {
      await mkdir(dir, { recursive: true });
      await writeAtomic(join(lab.dir, 'hosts'), hosts(addressesOf(lab)));
      const { cpus, memoryMiB } = plan.size;
      await run(groups('make', labGroup(lab), plan.name, String(cpus), String(memoryMiB)));
      await run(['rm', '-f', pidFile]);
      const init = ['bash', script('node-init.sh'), dir, plan.name, join(lab.dir, 'hosts'), programs];
      await run([
        // what stays in the background must not hold on to our pipes
        ...['sh', '-c', `exec "$@" >>'${dir}/init.log' 2>&1 </dev/null`, '-'],
        // the root of a cgroup namespace is the group that it is made in
        ...groups('join', isVersion2() ? group() : `${group()}/init`),
        ...[...enterLab(lab), 'setsid', '-f', 'nsenter', `--net=/run/netns/${plan.name}`],
        ...[
          'env',
          ...unset,
          'unshare',
          '--mount',
          '--uts',
          '--ipc',
          '--pid',
          ...(isVersion2() ? ['--cgroup'] : []),
        ],
        ...['--fork', '--kill-child=KILL', ...init],
      ]);
      await until(
        `machine ${plan.name} is up (log: ${dir}/init.log)`,
        async () => Promise.resolve(exists(pidFile)),
        Boolean,
        {
          within: ours.nodeUp,
          every: 10,
        },
      );
      await run(groups('settle', group()));
    },
    stop: async () => {
      const pid = readFileSync(pidFile, 'utf8').trim();
      await attempt([...enterLab(lab), 'kill', '-KILL', pid]);
      await run(['rm', '-f', pidFile]);
    },
    restart: async () => {
      await machine.stop();
      await machine.start();
    },
    size: async () => measure(plan, group()),
    supervised: true,
    daemon: async (name, words, env = {}) => {
      const service = { name, words, env: { PATH: inNode.path, HOME: '/root', ...env }, logs: '/var/log' };
      await run([...enter(), ...startWords(service)], { shown: [`${plan.name}: start`, name, ...words] });
    },
    endDaemon: async (name, signal = 'KILL') => {
      await inside(attempt, stopWords(name, signal), {});
    },
    daemons: async () => statesIn((await machine.run(stateWords())).stdout),
  };
  return machine;
}

/** Writes through standard input, so that a file of any size and any content arrives whole. */
async function put(
  machine: Machine,
  file: string,
  content: string | Uint8Array,
  options: FileOptions = {},
): Promise<void> {
  const mode = (options.mode ?? 0o644).toString(8);
  const owner = options.owner === undefined ? '' : `chown '${options.owner}' "$draft"; `;
  const shell = `set -e; mkdir -p "$(dirname "$1")"; draft="$1.$$.tmp"; cat >"$draft"; chmod ${mode} "$draft"; ${owner}mv "$draft" "$1"`;
  await machine.run(['sh', '-c', shell, '-', file], { input: content });
}

function hosts({ nodes, vm }: Topology): string {
  const named = Object.entries(nodes).map(([name, address]) => `${address} ${name}`);
  return ['127.0.0.1 localhost', ...named, `${vm} vm`, ''].join('\n');
}

/** What the kernel grants the machine's control group. The disk of a node is the host's: it has no size of its own. */
async function measure(plan: NodePlan, group: string): Promise<Size> {
  const first = (...files: string[]): string => {
    const file = files.find((one) => exists(one));
    if (file === undefined)
      throw new Error(
        `No control group tells the size of machine ${plan.name}: looked for ${files.join(', ')}`,
      );
    return readFileSync(file, 'utf8').trim();
  };
  const bytes = first(
    `/sys/fs/cgroup/memory/${group}/memory.limit_in_bytes`,
    `/sys/fs/cgroup/${group}/memory.max`,
  );
  const quota = first(
    `/sys/fs/cgroup/cpu/${group}/cpu.cfs_quota_us`,
    `/sys/fs/cgroup/${group}/cpu.max`,
  ).split(' ')[0];
  return Promise.resolve({
    cpus: Number(quota) / 100_000,
    memoryMiB: Number(bytes) / 1024 / 1024,
    diskGiB: Number.NaN,
  });
}
