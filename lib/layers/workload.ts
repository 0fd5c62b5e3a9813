import { chmod, copyFile, mkdir, readFile, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import { packageFiles } from '#lib/artifacts/sidecar-package.ts';
import { debField } from '#lib/artifacts/deb.ts';
import { run, type Output } from '#lib/base/command.ts';
import { inWholeSeconds, type Within } from '#lib/base/deadline.ts';
import { ours } from '#lib/base/deadlines.ts';
import { messageOf } from '#lib/base/errors.ts';
import { exists, writeAtomic } from '#lib/base/files.ts';
import { until } from '#lib/base/until.ts';
import type { Furnishing } from '#lib/machines/local/snapshot.ts';
import { bystander } from '#lib/probes/bystander.ts';
import { patchedPrograms, patchesFolder } from './arm64-patches.ts';
import { measured, type Lab } from './lab.ts';
import type { Layer } from './layer.ts';
import { builtInThisBoot, sameBoot } from './this-boot.ts';

export interface WorkloadOptions {
  /** install.workload.sh --no-fix-ca: leave CA_ADDR at the port that istioctl writes. */
  noFixCa?: boolean;
  /** install.workload.sh --no-fix-pilot: give no PILOT_ADDRESS. */
  noFixPilot?: boolean;
  /** More flags for `istioctl x workload entry configure`. */
  flags?: readonly string[];
  /** The folder that the files are written to; the lab's own unless told. */
  into?: string;
}

/** The folder of the generated files; it holds the token, so nobody else may look into it. */
export const workloadFiles = (lab: Pick<Lab, 'dir'>): string => join(lab.dir, 'workload-files');

/** The VM as a workload: its group, its files, the sidecar package, the bootstrap and the running unit. */
export const workload: Layer = {
  name: 'workload',
  needs: ['gateway'],
  requires: 'vm',
  title: 'Workload: the VM joins the mesh',
  expectedMs: 18_000,

  async ahead({ vm }) {
    await vm.run(['systemd-run', '--quiet', '--collect', 'sh', '-c', warmUp]);
  },

  async up(lab, note) {
    note('package and files');
    const [deployed] = await Promise.all([installSidecar(lab), configureWorkload(lab)]);
    note(deployed);
    note('bootstrap');
    await bootstrap(lab);
    note('start');
    await startSidecar(lab);
    await builtInThisBoot(lab, 'workload');
    const [envoy, kernel, os] = await Promise.all([
      lab.vm.run(['/usr/local/bin/envoy', '--version']),
      lab.vm.run(['uname', '-rm']),
      lab.vm.run(['sh', '-c', '. /etc/os-release && echo "$ID-$VERSION_ID"']),
    ]);
    const [release, machine] = kernel.stdout.trim().split(' ');
    await measured(lab.dir, {
      envoy: /version: [^/]+\/([^/]+)\//.exec(envoy.stdout)?.[1],
      vmOs: os.stdout.trim(),
      vmKernel: release,
      vmArchitecture: machine,
    });
  },

  async check(lab) {
    await lab.vm.run(['test', '-e', placement['cluster.env'] ?? '']);
    await sameBoot(lab, 'workload');
    // a sidecar that somebody stopped is for the claims to tell; one that systemd gave up is no sidecar
    const { code } = await lab.vm.attempt(['systemctl', 'is-failed', '--quiet', 'istio']);
    if (code === 0) throw new Error('systemd gave up starting the sidecar');
  },

  async down({ vm, kube, settings }) {
    await vm.attempt(['systemctl', 'stop', 'istio']);
    await kube.remove({ apiVersion: 'v1', kind: 'Namespace', name: settings.vmNamespace });
  },
};

/**
 * Runs once what the start of the sidecar runs: an emulator then has it translated. Rules are made in a network that
 * ends with the command.
 */
const warmUp = [
  'exec >/dev/null 2>&1',
  'pilot-agent version; envoy --version; curl -V; systemctl show istio; sudo -u istio-proxy /bin/bash -c true',
  "unshare --net sh -c 'pilot-agent istio-iptables; iptables-save; ip6tables-save'",
  "envoy --mode validate --config-yaml '{}'",
].join('\n');

const packageFile = '/root/istio-sidecar.deb';
/**
 * How the package gets into the machine before it is frozen: with dpkg, as the documents do. Its programs are run
 * once, so that they are in the machine's memory.
 */
export const installing = (sidecarPackage: string): Furnishing => ({
  local: sidecarPackage,
  remote: packageFile,
  scripts: [`dpkg -i ${packageFile}`, 'pilot-agent version; envoy --version; systemctl daemon-reload'],
});

/**
 * How install.vm.bootstrap.sh brings the sidecar into the VM: as its package or, when the programs of another
 * architecture have been taken out of an image (takePatches), as these and the package's other files.
 *
 * @returns what the script says of it
 */
export async function installSidecar(lab: Lab): Promise<string> {
  if (!exists(join(patchesFolder(lab), patchedPrograms[0]))) {
    await installPackage(lab);
    return 'Deploying without arm64 binaries.';
  }
  await placeFiles(lab);
  return 'Deploying with arm64 binaries...';
}

/** Installs the sidecar's package, unless this version came with the machine. */
export async function installPackage({ vm, programs }: Lab): Promise<void> {
  const { sidecarPackage } = programs.vm;
  const version = await debField(sidecarPackage, 'Version', run);
  const there = await vm.attempt(['dpkg-query', '-W', '-f', '${Version} ${Status}', 'istio-sidecar']);
  if (there.stdout === `${version} install ok installed`) return;
  await vm.upload(sidecarPackage, packageFile);
  await vm.run(['dpkg', '-i', packageFile], { within: ours.installPackage });
}

/** Does by hand what the package would: its files, and the user of its postinst. */
async function placeFiles(lab: Lab): Promise<void> {
  const { vm, dir, programs } = lab;
  const [tree, archive] = [join(dir, 'sidecar-files'), join(dir, 'sidecar-files.tar')];
  await rm(tree, { recursive: true, force: true });
  const patched = new Set<string>(patchedPrograms);
  for (const { path, source, mode } of packageFiles) {
    const from = patched.has(path) ? join(patchesFolder(lab), path) : join(programs.istio, source);
    await mkdir(dirname(join(tree, path)), { recursive: true });
    await copyFile(from, join(tree, path));
    await chmod(join(tree, path), mode);
  }
  await run(['tar', '--create', '--owner=0', '--group=0', '--file', archive, '--directory', tree, '.']);
  await vm.upload(archive, '/root/sidecar-files.tar');
  const user = 'useradd --system --gid istio-proxy --home-dir /var/lib/istio istio-proxy';
  const shell = [
    'set -e',
    // what runs keeps its old file, and /lib stays a link to /usr/lib
    'tar --extract --no-overwrite-dir --keep-directory-symlink --file /root/sidecar-files.tar --directory /',
    `getent passwd istio-proxy || { groupadd --force --system istio-proxy; ${user}; }`,
    'systemctl daemon-reload',
  ].join('\n');
  await vm.run(['sh', '-c', shell], { within: ours.installPackage });
  await rm(tree, { recursive: true });
  await rm(archive);
}

/**
 * install.workload.sh: namespace, service account, WorkloadGroup, and the generated files with the port fixes.
 *
 * @throws Error before anything is made when the VM has no address, which the script would take for an empty one
 */
export async function configureWorkload(lab: Lab, options: WorkloadOptions = {}): Promise<Output> {
  const { kube, settings } = lab;
  const address = await lab.vm.address().catch((cause: unknown) => {
    throw new Error(
      `The files of a workload are generated for the address of its VM, and ${lab.vm.name} has none to tell: ${messageOf(cause)} Bring it up first: \`npm run lab -- up machines\`.`,
      { cause },
    );
  });
  const documents = lab.manifest('03-vm/workload-group.yaml');
  for (const document of documents) await kube.apply(document);
  const group = join(lab.dir, 'workload-group.yaml');
  await writeAtomic(group, stringify(documents.find(({ kind }) => kind === 'WorkloadGroup')));

  const into = options.into ?? workloadFiles(lab);
  await rm(into, { recursive: true, force: true });
  await mkdir(into, { recursive: true, mode: 0o700 });
  const said = await lab.istioctl([
    ...['x', 'workload', 'entry', 'configure', '-f', group, '-o', into, '--autoregister'],
    ...['--clusterID', settings.clusterName, '--externalIP', address],
    ...['--revision', settings.istioRevision, '--istioNamespace', settings.istioNamespace],
    ...(options.flags ?? []),
  ]);
  // istioctl leaves the token readable for everyone
  for (const file of await readdir(into)) await chmod(join(into, file), 0o600);
  const istiod = `${settings.istioRevision}.${settings.istioNamespace}.svc:${String(settings.ports.ewg.istiod)}`;
  const fixes = [
    ...(options.noFixCa ? [] : [`CA_ADDR=istiod-'${istiod}'\n`]),
    ...(options.noFixPilot ? [] : [`PILOT_ADDRESS='istiod-${istiod}'\n`]),
  ];
  const env = join(into, 'cluster.env');
  await writeAtomic(env, (await readFile(env, 'utf8')) + fixes.join(''), 0o600);
  return said;
}

/** Where install.vm.bootstrap.sh puts each generated file. */
export const placement: Readonly<Record<string, string>> = {
  'root-cert.pem': '/etc/certs/root-cert.pem',
  'cluster.env': '/var/lib/istio/envoy/cluster.env',
  'istio-token': '/var/run/secrets/tokens/istio-token',
  'mesh.yaml': '/etc/istio/config/mesh',
};

/** Whom install.vm.bootstrap.sh gives these folders. */
export const ownedByProxy: readonly string[] = [
  '/etc/certs',
  '/etc/istio',
  '/var/run/secrets',
  '/var/lib/istio/envoy',
  '/var/lib/istio/config',
  '/var/log/istio',
  '/var/lib/istio/proxy',
];

/** install.vm.bootstrap.sh: the generated files to their places, the hosts entry, owners and modes. */
export async function bootstrap(lab: Lab, from = workloadFiles(lab)): Promise<void> {
  const { vm, settings } = lab;
  const file = async (name: string): Promise<string> => readFile(join(from, name), 'utf8');
  const files = await Promise.all(
    Object.entries(placement).map(
      async ([name, path]) => `${path}\n${Buffer.from(await file(name)).toString('base64')}\n`,
    ),
  );
  const hosts = [
    `127.0.1.1 ${settings.vmName} ${settings.vmName}`,
    '127.0.0.1 localhost',
    '::1 localhost ip6-localhost ip6-loopback',
    await file('hosts'),
  ].join('\n');
  const shell = [
    'set -e',
    'mkdir -p /etc/certs /etc/istio/config /var/lib/istio/config /var/lib/istio/envoy /var/lib/istio/proxy',
    'mkdir -p /var/log/istio /var/run/secrets/tokens',
    // whole or not at all: an agent that finds half a root certificate when it reconnects to its CA never comes back
    'while read -r path && read -r content; do',
    '  [ ! -e "$path" ] || cp --attributes-only --preserve=all "$path" "$path.new"',
    '  echo "$content" | base64 -d >"$path.new"; mv "$path.new" "$path"',
    'done',
    'chmod 2755 /usr/local/bin/envoy /usr/local/bin/pilot-agent',
    `chown -R istio-proxy:istio-proxy ${ownedByProxy.join(' ')}`,
    'chmod 600 /var/run/secrets/tokens/istio-token',
  ].join('\n');
  await vm.run(['bash', '-c', shell], {
    input: `${files.join('')}/etc/hosts\n${Buffer.from(hosts).toString('base64')}\n`,
    secret: true,
  });
}

/** Starts the unit and waits for the sidecar to be ready. */
export async function startSidecar(lab: Lab, within: Within = ours.sidecarFirst): Promise<void> {
  await lab.vm.run(['systemctl', 'enable', '--now', '--quiet', 'istio'], { within: ours.command });
  await sidecarReady(lab, within);
}

export async function sidecarReady(lab: Lab, within: Within): Promise<void> {
  const { vm } = lab;
  // asked from outside where that can be: on an emulated processor curl would take the time that the sidecar needs
  const from = lab.features.has('bystander') ? bystander(lab) : vm;
  const asking = ['curl', '-s', '-o', '/dev/null', '-w', '%{http_code}'];
  const ready = `http://${await vm.address()}:15021/healthz/ready`;
  await until(
    `the sidecar on the VM is ready (${ready})`,
    async () => (await from.attempt([...asking, '-m', inWholeSeconds(ours.readyAnswer), ready])).stdout,
    (status) => status === '200',
    { within, every: 200 },
  );
}
