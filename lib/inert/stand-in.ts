import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Output, Run } from '#lib/base/command.ts';
import { writeAtomic } from '#lib/base/files.ts';
import { root } from '#lib/base/paths.ts';
import { settings as readSettings, type Size } from '#lib/base/settings.ts';
import type { Kube, Ref, Resource } from '#lib/kube/client.ts';
import { labOf, type Lab } from '#lib/layers/lab.ts';
import { workloadFiles } from '#lib/layers/workload.ts';
import { enterLab, type LocalLab } from '#lib/machines/local/lab.ts';
import type { NodeMachine } from '#lib/machines/node-machine.ts';
import { localAddresses } from '#lib/machines/local/addresses.ts';
import { keepTopology, type NodePlan } from '#lib/machines/topology.ts';
import type { VmMachine } from '#lib/machines/local/vm.ts';
import type { Target } from './target.ts';

/** A lab made of a target's answers behind the doors of a real one: programs, machines, the API server. */
export interface StandIn {
  /** Such as `the empty lab`. */
  readonly name: string;
  readonly lab: Lab;
  /** How often the lab has been asked for anything, be it where its files are. */
  readonly asked: () => number;
  /** Stands in for `attempt` and `run` of lib/base/command.ts. */
  readonly command: (really: Run) => Run;
  readonly kube: Kube;
  readonly vm: VmMachine;
  readonly node: (plan: NodePlan) => NodeMachine;
  /** Lays the files that a lab has on disk. */
  lay(): Promise<void>;
  remove(): void;
}

/** Files of a lab that claims read by themselves, below its folder. */
const onDisk = ['kubeconfig', 'kubeconfig.lab', 'evidence/version-before-install.txt', 'measured.json'];
/** What istioctl generates for a workload. */
const generated = ['cluster.env', 'hosts', 'istio-token', 'mesh.yaml', 'root-cert.pem'];

/** Each claim is looked at with every feature there, so that none hides behind one that is missing. */
class Everything extends Set<string> {
  override has(): boolean {
    return true;
  }
}

export function standIn(target: Target): StandIn {
  let asked = 0;
  const ask = <T>(answer: T): T => {
    asked += 1;
    return answer;
  };
  const dir = mkdtempSync(join(tmpdir(), 'inert-lab-'));
  const local: LocalLab = { name: 'inert', dir, init: { pid: 0, started: '' }, addresses: localAddresses };
  const programs = {
    kubernetes: join(dir, 'programs'),
    istio: join(dir, 'programs'),
    sidecarPackage: join(dir, 'istio-sidecar.deb'),
    forNodes: { is: 'upstream' as const, imageStore: join(dir, 'image-store') },
    arm64: { sidecarPackage: join(dir, 'istio-sidecar-arm64.deb'), proxyImage: join(dir, 'proxy') },
    istioProxyBuild: false,
    vm: {
      base: { image: join(dir, 'vm'), snapshot: join(dir, 'vm') },
      sidecarPackage: join(dir, 'istio-sidecar.deb'),
    },
  };

  const answer = (words: readonly string[]): Output => {
    const said = ask(target.command(words));
    return { stdout: '', stderr: '', code: 0, ms: 1, ...said };
  };
  const lay = async (folder: string, files: readonly string[]): Promise<void> => {
    for (const file of files) await writeAtomic(join(folder, file), target.file(file), 0o600);
  };
  /** What is run in the lab is answered, wherever it would have been run; what is run on the host is run. */
  const command =
    (really: Run): Run =>
    async (words, options) => {
      const [program = ''] = words;
      if (program === 'nsenter') return answer(words.slice(enterLab(local).length));
      if (program === join(programs.kubernetes, 'kubectl') && words[1] === 'exec')
        return answer(words.slice(words.indexOf('--') + 1));
      if (program.startsWith(programs.kubernetes)) {
        if (words.includes('configure')) await lay(words[words.indexOf('-o') + 1] ?? dir, generated);
        return answer([program.slice(programs.kubernetes.length + 1), ...words.slice(1)]);
      }
      // a command of this project would make a lab that is one
      if (words.includes(join(root, 'lib/cli/lab.ts'))) return answer(['lab']);
      return really(words, options);
    };

  const done = async (): Promise<void> => {
    ask('done');
    return Promise.resolve();
  };
  const machine = (name: string) => {
    const run: Run = async (words) => Promise.resolve(answer(words));
    const size: Size = { cpus: 0, memoryMiB: 0, diskGiB: 0 };
    return {
      ...{ name, run, attempt: run, write: done, upload: done, start: done, stop: done, restart: done },
      address: async () => Promise.resolve(ask(target.address(name))),
      read: async (path: string) => Promise.resolve(ask(target.file(path))),
      size: async () => Promise.resolve(ask(size)),
    };
  };
  const machines = join(dir, 'machines');
  const settings = readSettings();
  const vm: VmMachine = {
    ...machine(settings.vmName),
    dir: join(machines, settings.vmName),
    anew: async () => Promise.resolve(),
    remove: done,
  };
  const node = (plan: NodePlan): NodeMachine => ({
    ...machine(plan.name),
    plan,
    dir: join(machines, plan.name),
    onHost: (path) => join(machines, plan.name, path),
    enter: () => enterLab(local),
    supervised: true,
    daemon: done,
    endDaemon: done,
    daemons: async () => Promise.resolve(ask(new Map())),
  });

  const kube = kubeOf(target, ask, done);
  let lab: Lab | undefined;
  return {
    name: `the ${target.name} lab`,
    asked: () => asked,
    command,
    kube,
    vm,
    node,
    get lab() {
      // a lab composed as every lab is; what is read by itself in its folder counts as asked, too
      lab ??= Object.defineProperties(labOf(settings, local, programs), {
        dir: { get: () => ask(dir) },
        features: { value: new Everything() },
      });
      return lab;
    },
    lay: async () => {
      await lay(dir, onDisk);
      await keepTopology(local, localAddresses);
      await lay(workloadFiles({ dir }), generated);
    },
    remove() {
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Lists what the target has, takes whatever is applied, and is not changed by it. */
function kubeOf(target: Target, ask: <T>(answer: T) => T, done: () => Promise<void>): Kube {
  const find = ({ kind, name, namespace }: Ref): Resource | undefined => {
    const named = (wanted: string) => target.objects(kind).find(({ metadata }) => metadata?.name === wanted);
    const other = named('old');
    const renamed = { name, ...(namespace === undefined ? {} : { namespace }) };
    return named(name) ?? (other && { ...other, metadata: Object.assign({}, other.metadata, renamed) });
  };
  return {
    config: undefined as unknown as Kube['config'],
    apply: async <T extends Resource>(document: Resource) => Promise.resolve(ask(document as T)),
    get: async <T extends Resource>(ref: Ref) => Promise.resolve(ask(find(ref) as T | undefined)),
    list: async <T extends Resource>(_: string, kind: string, namespace?: string, labels = '') => {
      const found = target
        .objects(kind)
        .filter(({ metadata }) => namespace === undefined || metadata?.namespace === namespace)
        .filter(({ metadata }) => selects(labels, metadata?.labels ?? {}));
      return Promise.resolve(ask(found as T[]));
    },
    remove: done,
    patch: done,
    raw: async (path) => Promise.resolve(ask(target.page(path))),
  };
}

/** Whether labels meet a selector such as `app=istiod,istio.io/rev`. */
function selects(selector: string, labels: Readonly<Record<string, string>>): boolean {
  return selector
    .split(',')
    .filter(Boolean)
    .every((term) => {
      const [, name = '', not = '', value] = /^([^=!]+)(!?)=(.*)$/.exec(term) ?? ['', term];
      if (value === undefined) return name in labels;
      return (labels[name] === value) !== (not === '!');
    });
}
