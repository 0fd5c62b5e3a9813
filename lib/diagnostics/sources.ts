import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CommandError, type Output, type RunOptions } from '#lib/base/command.ts';
import { inWholeSeconds, seconds, together } from '#lib/base/deadline.ts';
import { ours } from '#lib/base/deadlines.ts';
import { exists } from '#lib/base/files.ts';
import type { Resource } from '#lib/kube/client.ts';
import type { Lab } from '#lib/layers/lab.ts';
import type { NodeMachine } from '#lib/machines/node-machine.ts';
import type { PlaceWithFiles } from '#lib/probes/places.ts';
import type { Piece } from './bundle.ts';
import { sections, sectionsInFile } from './sections.ts';
import type { Stream, Window } from './timeline.ts';

/** What a source has to tell: files, and what of it goes into the timeline. */
export interface Told {
  pieces: Piece[];
  streams: Stream[];
  /** What it could not tell, a sentence each. */
  missing?: string[];
}

/** Something that is asked when a claim has failed. It must not need anything of the lab but what it asks. */
export interface Source {
  name: string;
  ask(lab: Lab, window: Window, options: RunOptions): Promise<Told>;
}

/** All sources; each is asked by itself, as any of them may be what is broken. */
export const sourcesOf = (lab: Pick<Lab, 'nodes' | 'features'>): Source[] => [
  { name: 'VM: logs of the sidecar', ask: async ({ vm }) => sidecarLogs(vm) },
  { name: 'VM: journal', ask: async ({ vm }, window, options) => vmJournal(vm, window, options) },
  { name: 'VM: proxy, rules, routes, certificates', ask: async ({ vm }, _, options) => vmState(vm, options) },
  ...nodesIn(lab).flatMap((node) => [
    {
      name: `${node.name}: logs`,
      ask: async (_: Lab, window: Window, options: RunOptions) => nodeLogs(node, window, options),
    },
    {
      name: `${node.name}: proxies, rules, routes`,
      ask: async (_: Lab, __: Window, options: RunOptions) => nodeState(node, options),
    },
  ]),
  // where nobody gets into the nodes, the API server tells the logs as well as it can
  ...(lab.features.has('node-access') ? [] : [podLogs]),
  { name: 'API server: events', ask: async ({ kube }) => events(await kube.list('v1', 'Event')) },
  { name: 'API server: objects', ask: async (lab, _, options) => objects(lab, options) },
  { name: 'istioctl proxy-status', ask: async (lab, _, options) => istioctl(lab, ['proxy-status'], options) },
  { name: 'istioctl analyze', ask: async (lab, _, options) => istioctl(lab, ['analyze', '-A'], options) },
  { name: 'host: logs of the machinery', ask: async (lab) => machinery(lab) },
];

/** The nodes that can be looked into. */
export const nodesIn = (lab: Pick<Lab, 'nodes' | 'features'>): Lab['nodes'] =>
  lab.features.has('node-access') ? lab.nodes : [];

/** Logs of the pods in namespaces that claims use, by the API server. */
const podLogs: Source = {
  name: 'API server: logs of pods',
  async ask({ kube, kubectl, settings }, { from }, options) {
    const namespaces = [settings.istioNamespace, settings.vmNamespace, 'sample', 'outside'];
    const pods = (await Promise.all(namespaces.map(async (name) => kube.list('v1', 'Pod', name)))).flat();
    const since = `--since-time=${new Date(from).toISOString()}`;
    const told = await Promise.all(
      pods.map(async ({ metadata }) => {
        const [namespace = '', name = ''] = [metadata?.namespace, metadata?.name];
        const words = ['logs', name, '-n', namespace, '--all-containers', '--prefix', since];
        return { place: `${namespace}/${name}`, text: await said(kubectl(words, options)) };
      }),
    );
    return {
      pieces: told.map(({ place, text }) => ({ file: `pods/${place}.log`, text })),
      streams: told.map(({ place, text }) => ({ from: place, text })),
    };
  },
};

/** Each part is given up by itself, so that a proxy that hangs does not take the rest with it. */
const given = (): string => `timeout -k 1 ${inWholeSeconds(together(ours.bundlePart, seconds(2)))}`;
const pages = ['config_dump', 'clusters?format=json', 'certs', 'listeners'];
const fileOf = (page: string): string =>
  `${page.replace(/\?.*/, '')}.${page === 'listeners' ? 'txt' : 'json'}`;

/** Read without starting a program, so that they are there when the machine is too busy for one. */
async function sidecarLogs(vm: PlaceWithFiles): Promise<Told> {
  const read = async (name: string): Promise<string> => vm.read(`/var/log/istio/${name}`);
  const [agent, envoy] = [await read('istio.log'), await read('istio.err.log')];
  return {
    pieces: [
      { file: 'vm/istio.log', text: agent },
      { file: 'vm/istio.err.log', text: envoy },
    ],
    streams: [
      { from: 'vm agent', text: agent },
      { from: 'vm envoy', text: envoy },
    ],
  };
}

async function vmJournal(vm: PlaceWithFiles, { from }: Window, options: RunOptions): Promise<Told> {
  const asked = Date.now();
  const { parts, missing } = await sectionsInFile(
    vm,
    '/run/diagnosis-journal',
    [
      'section clock; date +%s%3N',
      `section journal; journalctl --no-pager --output=short-unix --since=@${String(Math.floor(from / 1000))}`,
    ],
    options,
  );
  const { clock, journal = '' } = Object.fromEntries(parts);
  const off = clockOff(Number(clock), asked, Date.now());
  return {
    pieces: [{ file: 'vm/journal.log', text: journal }],
    streams: [{ from: 'vm journal', text: journal }],
    missing: [...missing, ...(off === undefined ? [] : [off])],
  };
}

/** A clock is off when it tells a time before it was asked, or after it answered. */
function clockOff(clock: number, asked: number, answered: number): string | undefined {
  const by = clock > answered ? clock - answered : Math.min(0, clock - asked);
  if (!(Math.abs(by) > 1000)) return undefined;
  return `its clock is ${(by / 1000).toFixed(1)} s ahead of ours, and so are the times of its lines`;
}

async function vmState(vm: PlaceWithFiles, options: RunOptions): Promise<Told> {
  const script = [
    ...pages.map(
      (page) =>
        `section ${fileOf(page)}; ${given()} curl -sS -m ${inWholeSeconds(ours.bundlePart)} 'http://127.0.0.1:15000/${page}' 2>&1`,
    ),
    'section rules.txt; for list in iptables-save ip6tables-save; do echo "# $list"; $list; done; echo "# nft"; nft list ruleset 2>&1',
    'section routes.txt; ip address; ip route show table all; ip neighbour; ss -tanp',
    'section names.txt; cat /etc/hosts; resolvectl status 2>&1 | head -n 40',
    'section units.txt; systemctl --no-pager --lines=0 status istio external-app 2>&1; systemctl --no-pager --failed; free -m; uptime',
    'section files.txt; ls -lR /etc/certs /var/run/secrets /etc/istio /var/lib/istio 2>&1',
    'section certificates.txt; for file in /etc/certs/cert-chain.pem /etc/certs/root-cert.pem; do echo "# $file"; openssl crl2pkcs7 -nocrl -certfile $file 2>&1 | openssl pkcs7 -print_certs -text -noout 2>&1; done',
  ];
  const { parts, missing } = await sectionsInFile(vm, '/run/diagnosis-state', script, options);
  return { pieces: parts.map(([name, text]) => ({ file: `vm/${name}`, text })), streams: [], missing };
}

/** Logs are read from the node's disk, which can be done whether or not the API server lives. */
async function nodeLogs(node: NodeMachine, { from }: Window, options: RunOptions): Promise<Told> {
  const since = `-newermt @${String(Math.floor(from / 1000))}`;
  const script = [
    `for file in $(find /var/log/pods -name '*.log' ${since}); do section "\${file#/var/log/}"; tail -c 1000000 $file; done`,
    `for file in $(find /var/log -maxdepth 1 -name '*.log' ${since}); do section "$(basename $file)"; tail -c 500000 $file; done`,
  ];
  const told: Told = { pieces: [], streams: [] };
  for (const [name, text] of await sections(node, script, options)) {
    const pod = podOf(name);
    told.pieces.push({ file: pod ? `pods/${pod.replace(' ', '/')}.log` : `${node.name}/${name}`, text });
    told.streams.push(
      pod
        ? { from: pod, text }
        : { from: `${node.name} ${name.replace(/\.log$/, '')}`, text: warnings(text) },
    );
  }
  return told;
}

/** pods/<namespace>_<pod>_<uid>/<container>/<restarts>.log -> "<namespace>/<pod> <container>" */
function podOf(file: string): string | undefined {
  const [, namespace = '', pod = '', container = '', restarts = ''] =
    /^pods\/([^_]+)_([^_]+)_[^/]+\/([^/]+)\/(\d+)\.log$/.exec(file) ?? [];
  if (pod === '') return undefined;
  return `${namespace}/${pod} ${container}${restarts === '0' ? '' : `.${restarts}`}`;
}

/** Of the programs of a node the timeline tells what they complain about; the rest is in their files. */
const warnings = (text: string): string =>
  text
    .split('\n')
    .filter((line) => /^[WEF]\d{4} |level=(?:warning|error|fatal)|"level":"(?:warn|error|fatal)"/.test(line))
    .join('\n');

/** The proxies are asked in their pods' networks, from the node: that takes neither API server nor kubelet. */
async function nodeState(node: NodeMachine, options: RunOptions): Promise<Told> {
  const ask = (url: string): string => `nsenter --net=$net curl -s -m 6 "http://127.0.0.1:15000/${url}"`;
  const script = [
    'section rules.txt; for list in iptables-save ip6tables-save; do echo "# $list"; $list 2>&1; done; echo "# nft"; nft list ruleset 2>&1',
    'section routes.txt; ip address; ip route show table all; ip neighbour; ss -tan',
    'for net in /run/netns/* /var/run/netns/*; do [ -e "$net" ] || continue',
    `  id=$(${ask('server_info')} | grep -o '"id": *"[^"]*"' | head -n 1 | cut -d '~' -f 3) || continue`,
    '  [ -n "$id" ] || continue',
    ...pages.map((page) => `  section "proxies/$id/${fileOf(page)}"; ${ask(page)}`),
    'done',
  ];
  const parts = await sections(node, script, options);
  const place = (name: string): string => (name.startsWith('proxies/') ? name : `${node.name}/${name}`);
  return { pieces: parts.map(([name, text]) => ({ file: place(name), text })), streams: [] };
}

function events(found: readonly Resource[]): Told {
  const lines = found.map((event) => {
    const { lastTimestamp, eventTime, firstTimestamp, type, reason, message, involvedObject } =
      event as EventObject;
    const at = eventTime ?? lastTimestamp ?? firstTimestamp ?? event.metadata?.creationTimestamp;
    const { kind = '?', namespace = '', name = '?' } = involvedObject ?? {};
    const time = at === undefined ? '' : new Date(at).toISOString();
    return `${time} ${type ?? ''} ${reason ?? ''} ${kind} ${namespace}/${name}: ${(message ?? '').replaceAll('\n', ' ')}`;
  });
  const text = `${lines.sort().join('\n')}\n`;
  return { pieces: [{ file: 'events.txt', text }], streams: [{ from: 'event', text }] };
}

interface EventObject extends Resource {
  lastTimestamp?: string;
  eventTime?: string;
  firstTimestamp?: string;
  type?: string;
  reason?: string;
  message?: string;
  involvedObject?: { kind?: string; namespace?: string; name?: string };
}

const wide = 'nodes,namespaces,pods,services,endpoints,networkpolicies';
const ofIstio = [
  ...[
    'workloadentries',
    'workloadgroups',
    'serviceentries',
    'gateways',
    'virtualservices',
    'destinationrules',
    'sidecars',
  ].map((kind) => `${kind}.networking.istio.io`),
  'peerauthentications.security.istio.io',
  'authorizationpolicies.security.istio.io',
  'telemetries.telemetry.istio.io',
];

async function objects(lab: Lab, options: RunOptions): Promise<Told> {
  const get = async (kinds: string, ...form: string[]): Promise<string> =>
    said(lab.kubectl(['get', kinds, '-A', ...form], options));
  const [list, policies, istio] = await Promise.all([
    get(wide, '-o', 'wide'),
    get('networkpolicies,services,endpoints', '-o', 'yaml'),
    get(ofIstio.join(','), '-o', 'yaml'),
  ]);
  return {
    pieces: [
      { file: 'objects.txt', text: list },
      { file: 'istio.yaml', text: istio },
      { file: 'kubernetes.yaml', text: policies },
    ],
    streams: [],
  };
}

async function istioctl(lab: Lab, words: readonly string[], options: RunOptions): Promise<Told> {
  const text = await said(lab.istioctl(words, options));
  return { pieces: [{ file: `${words[0] ?? ''}.txt`, text }], streams: [] };
}

/** What a program said, also when its exit status is not 0: what it found may be the reason. */
async function said(running: Promise<Output>): Promise<string> {
  const { stdout, stderr } = await running.catch((error: unknown) => {
    if (
      error instanceof CommandError &&
      error.output.code >= 0 &&
      error.output.stdout + error.output.stderr !== ''
    )
      return error.output;
    throw error;
  });
  return stdout + stderr;
}

/** What lies on the host's own disk: it is there when all of the lab is gone. */
async function machinery({ dir, settings }: Lab): Promise<Told> {
  const logs = {
    'policy-engine.log': 'controllers.log',
    'forwarder.log': 'forward.log',
    'keeper.log': 'keeper.log',
  };
  const files: [string, string][] = [
    ...Object.entries(logs).map(([as, file]): [string, string] => [`host/${as}`, join(dir, file)]),
    ...['console.log', 'qemu.log'].map((name): [string, string] => [
      `vm/${name}`,
      join(dir, 'machines', settings.vmName, name),
    ]),
  ];
  const told: Told = { pieces: [], streams: [] };
  for (const [file, path] of files) {
    if (!exists(path)) continue;
    const text = await readFile(path, 'utf8');
    told.pieces.push({ file, text });
    if (file === 'host/policy-engine.log') told.streams.push({ from: 'policy engine', text });
  }
  return told;
}
