import { readFileSync } from 'node:fs';
import { parseEnv } from 'node:util';
import { RefusedError } from './errors.ts';
import { overlay, type Overlay } from './overlay.ts';
import { cacheDir, fixture } from './paths.ts';

/** The size of a machine. */
export interface Size {
  cpus: number;
  memoryMiB: number;
  diskGiB: number;
}

/** The highest LAB_PATIENCE. */
export const mostPatience = 50;

export interface GatewayPorts {
  status: number;
  istiod: number;
  webhook: number;
}

export interface Settings {
  istioVersion: string;
  /** The version with its dots as dashes. */
  istioRevision: string;
  istioNamespace: string;
  meshId: string;
  clusterName: string;
  clusterNetwork: string;
  vmNetwork: string;
  vmApp: string;
  vmNamespace: string;
  serviceAccount: string;
  vmName: string;
  /** What the programs of another architecture are taken out of an image with. */
  containerTool: 'docker' | 'podman';
  ports: { default: GatewayPorts; ewg: GatewayPorts };
  sizes: { master: Size; worker: Size; vm: Size };
  /** Manifests that take the place of those under fixtures/, when FIXTURES_OVERLAY names a folder of them. */
  overlay?: Overlay;
  lab: {
    name: string;
    provider: 'auto' | 'local' | 'multipass' | 'existing';
    distribution: 'auto' | 'upstream' | 'k3s';
    /** The architecture of the external VM; that of this machine unless told. */
    vmArch: 'auto' | 'amd64' | 'arm64';
    /** The Debian that the external VM runs; `none` leaves the VM out, and with it all that takes one. */
    vmOs: 'debian-12' | 'debian-13' | 'none';
    /** Where a Debian comes from: an address without a slash at its end, or `auto`. */
    debianMirror: string;
    keep: 'never' | 'on-failure' | 'always';
    /** By how much deadlines of ours are stretched; measured when the lab comes up unless told. */
    patience: 'auto' | number;
    cache: string;
    artifactSource: 'auto' | 'release' | 'modules';
    /**
     * Where official downloads come from: addresses without a slash at their end (those of the packages are asked one
     * after the other), and a registry with its path.
     */
    releases: { istio: string; packages: string[]; hub: string; k3s: string };
    /** The release of k3s, such as v1.27.7+k3s1. */
    k3sVersion: string;
  };
}

/** The Debian of a VM of which nothing else is said, such as that of a run of before there was the setting. */
export const defaultVmOs: Settings['lab']['vmOs'] = 'debian-12';

/**
 * What a run is called among runs that differ in their settings: the version of Istio, and behind it what the VM runs
 * unless that is the default, such as `1.27.9` and `1.27.9-debian-13`.
 */
export const variantName = (istioVersion: string, vmOs: string = defaultVmOs): string =>
  vmOs === defaultVmOs ? istioVersion : `${istioVersion}-${vmOs}`;

type Values = Readonly<Record<string, string | undefined>>;

/**
 * The settings of this run: fixtures/run.env, over which the environment wins (as the article's run.env has it).
 *
 * @throws RefusedError that names the variable, before anything is touched
 */
export function settings(env: NodeJS.ProcessEnv = process.env): Settings {
  const values: Values = { ...defaults(), ...given(env) };
  const text = (name: string): string => need(values, name);
  const ports = (side: 'DEFAULT' | 'EWG'): GatewayPorts => ({
    status: port(values, `${side}_PORT_STATUS`),
    istiod: port(values, `${side}_PORT_TLS_ISTIOD`),
    webhook: port(values, `${side}_PORT_TLS_WEBHOOK`),
  });
  const size = (kind: string): Size => ({
    cpus: whole(values, `CPU_${kind}`, 1, 64),
    memoryMiB: gibibytes(values, `MEM_${kind}`) * 1024,
    diskGiB: gibibytes(values, `DISK_${kind}`),
  });
  const version = matching(
    values,
    'ISTIO_VERSION',
    /^(\d+\.\d+\.\d+|master)$/,
    'a version such as 1.27.9, or master',
  );
  const over = overlay(env);
  return {
    istioVersion: version,
    istioRevision: version.replaceAll('.', '-'),
    istioNamespace: dnsLabel(values, 'ISTIO_NAMESPACE'),
    meshId: text('ISTIO_MESH_ID'),
    clusterName: text('ISTIO_CLUSTER'),
    clusterNetwork: dnsLabel(values, 'CLUSTER_NETWORK'),
    vmNetwork: dnsLabel(values, 'VM_NETWORK'),
    vmApp: dnsLabel(values, 'VM_APP'),
    vmNamespace: dnsLabel(values, 'VM_NAMESPACE'),
    serviceAccount: dnsLabel(values, 'SERVICE_ACCOUNT'),
    vmName: dnsLabel(values, 'WORKLOAD_VM_NAME'),
    containerTool: oneOf(values, 'CONTAINER_TOOL', ['docker', 'podman']),
    ports: distinct({ default: ports('DEFAULT'), ewg: ports('EWG') }),
    sizes: { master: size('MASTER'), worker: size('WORKER'), vm: size('VM') },
    ...(over ? { overlay: over } : {}),
    lab: {
      name: matching(values, 'LAB_NAME', /^[a-z0-9]([a-z0-9-]{0,22}[a-z0-9])?$/, 'a short DNS label'),
      provider: oneOf(values, 'LAB_PROVIDER', ['auto', 'local', 'multipass', 'existing']),
      distribution: oneOf(values, 'LAB_DISTRIBUTION', ['auto', 'upstream', 'k3s']),
      vmArch: oneOf(values, 'VM_ARCH', ['auto', 'amd64', 'arm64']),
      vmOs: oneOf(values, 'VM_OS', ['debian-12', 'debian-13', 'none']),
      debianMirror: need(values, 'DEBIAN_MIRROR') === 'auto' ? 'auto' : address(values, 'DEBIAN_MIRROR'),
      keep: oneOf(values, 'LAB_KEEP', ['never', 'on-failure', 'always']),
      patience: patienceIn(values),
      cache: cacheDir(env),
      artifactSource: oneOf(values, 'ARTIFACT_SOURCE', ['auto', 'release', 'modules']),
      releases: {
        istio: address(values, 'ISTIO_RELEASES'),
        packages: addresses(values, 'ISTIO_PACKAGES'),
        hub: matching(
          values,
          'ISTIO_HUB',
          /^[\w.-]+(:\d+)?(\/[\w.-]+)*$/,
          'a registry and a path such as docker.io/istio',
        ),
        k3s: address(values, 'K3S_RELEASES'),
      },
      k3sVersion: matching(
        values,
        'K3S_VERSION',
        /^v\d+\.\d+\.\d+\+k3s\d+$/,
        'a release such as v1.27.7+k3s1',
      ),
    },
  };
}

/** The documented defaults: the names and values of fixtures/run.env. */
export function defaults(file = fixture('run.env')): Record<string, string> {
  return parseEnv(readFileSync(file, 'utf8')) as Record<string, string>;
}

function given(env: NodeJS.ProcessEnv): Values {
  const known = Object.keys(defaults());
  return Object.fromEntries(known.filter((name) => env[name]).map((name) => [name, env[name]]));
}

function need(values: Values, name: string): string {
  const value = values[name];
  if (!value) throw new RefusedError(`${name} is not set; fixtures/run.env has its default.`);
  return value;
}

function matching(values: Values, name: string, pattern: RegExp, expected: string): string {
  const value = need(values, name);
  if (!pattern.test(value)) throw new RefusedError(`${name} must be ${expected}, got "${value}".`);
  return value;
}

function oneOf<const T extends string>(values: Values, name: string, allowed: readonly T[]): T {
  const value = need(values, name);
  const found = allowed.find((one) => one === value);
  if (found === undefined) {
    throw new RefusedError(`${name} must be one of ${allowed.join(', ')}; got "${value}".`);
  }
  return found;
}

/** Addresses with spaces between them. */
const addresses = (values: Values, name: string): string[] =>
  need(values, name)
    .split(/\s+/)
    .filter(Boolean)
    .map((one) => address({ [name]: one }, name));

/** An address of the web, without the slash at its end. Its user and password would end up in reports. */
function address(values: Values, name: string): string {
  const value = need(values, name);
  const url = URL.canParse(value) ? new URL(value) : undefined;
  const plain = url && /^https?:$/.test(url.protocol) && !url.username && !url.password;
  if (plain && !url.search && !url.hash) return value.replace(/\/+$/, '');
  const shown = value.replace(/\/\/.*@/, '//(withheld)@').replace(/[?#].*/, '?(withheld)');
  throw new RefusedError(
    `${name} must be an http or https address without user, password, query or fragment, got "${shown}".`,
  );
}

const dnsLabel = (values: Values, name: string): string =>
  matching(values, name, /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'a DNS label (a-z, 0-9 and dashes)');

function whole(values: Values, name: string, least: number, most: number): number {
  const value = need(values, name);
  const number = Number(value);
  if (!/^\d+$/.test(value) || number < least || number > most) {
    throw new RefusedError(
      `${name} must be a whole number from ${String(least)} to ${String(most)}, got "${value}".`,
    );
  }
  return number;
}

function patienceIn(values: Values): 'auto' | number {
  const value = need(values, 'LAB_PATIENCE');
  if (value === 'auto') return value;
  const number = Number(value);
  if (!/^\d+(\.\d+)?$/.test(value) || number < 1 || number > mostPatience) {
    throw new RefusedError(
      `LAB_PATIENCE must be auto, or a number from 1 to ${String(mostPatience)}, got "${value}".`,
    );
  }
  return number;
}

const port = (values: Values, name: string): number => whole(values, name, 1, 65_535);

function gibibytes(values: Values, name: string): number {
  return Number(
    matching(values, name, /^[1-9]\d{0,2}G$/, 'a size in whole gibibytes such as 8G').slice(0, -1),
  );
}

/** One load balancer port can be held by one gateway only; two ports of one gateway cannot be the same either. */
function distinct(ports: Settings['ports']): Settings['ports'] {
  const held = new Map<number, string>([[15_443, 'the cross-network gateway']]);
  const claims: [string, number][] = [
    ['DEFAULT_PORT_STATUS', ports.default.status],
    ['EWG_PORT_STATUS', ports.ewg.status],
    ['EWG_PORT_TLS_ISTIOD', ports.ewg.istiod],
    ['EWG_PORT_TLS_WEBHOOK', ports.ewg.webhook],
  ];
  for (const [name, number] of [
    ['the ingress gateway', 80] as const,
    ['the ingress gateway', 443] as const,
  ]) {
    held.set(number, name);
  }
  for (const [name, number] of claims) {
    const holder = held.get(number);
    if (holder !== undefined) {
      throw new RefusedError(
        `${name}=${String(number)} is the port of ${holder} too, and one load balancer port can be held once; give ${name} another port.`,
      );
    }
    held.set(number, name);
  }
  return ports;
}
