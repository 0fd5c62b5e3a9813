import { join } from 'node:path';
import { corednsVersion } from './coredns.ts';
import type { Tree } from './tree.ts';

/** An image of the lab, built here or pulled. */
export type Image = BuiltImage | PulledImage;

/** Under which name, from which Containerfile (fixtures/images/<recipe>), with what in it. */
export interface BuiltImage {
  name: string;
  recipe: string;
  tree: Tree;
  /** Build arguments of the Containerfile. */
  args?: Readonly<Record<string, string>>;
}

/** An archive as `docker save` writes it, with the image under its name. */
export interface PulledImage {
  name: string;
  archive: string;
}

/** Folders of the programs that go into images. */
export interface ImageSources {
  istio: string;
  envoy: string;
  coredns: string;
  /** pause and helloworld. */
  small: string;
  /** Archives of Istio's own images, which stand instead of built ones. */
  pulled?: { pilot: string; proxyv2: string };
}

/** Every image that the documented manifests, the charts and the cluster ask for, under the names that they use. */
export function images(
  istioVersion: string,
  { istio, envoy, coredns, small, pulled }: ImageSources,
): Image[] {
  const ofIstio = (name: 'pilot' | 'proxyv2', tree: Tree): Image => {
    const named = { name: `docker.io/istio/${name}:${istioVersion}` };
    return pulled ? { ...named, archive: pulled[name] } : { ...named, recipe: name, tree };
  };
  const helloworld = (version: string): Image => ({
    name: `docker.io/istio/examples-helloworld-${version}:1.0`,
    recipe: 'helloworld',
    args: { SERVICE_VERSION: version },
    tree: { files: { '/helloworld': join(small, 'helloworld') } },
  });
  const sidecar: Tree = {
    files: {
      '/usr/local/bin/pilot-agent': join(istio, 'pilot-agent'),
      '/usr/local/bin/envoy': join(envoy, 'envoy'),
      '/var/lib/istio/envoy/envoy_bootstrap_tmpl.json': join(istio, 'packaging/envoy_bootstrap.json'),
    },
    linked: [join(envoy, 'envoy')],
    programs: ['/usr/sbin/xtables-legacy-multi', '/usr/sbin/xtables-nft-multi'],
    plugins: [`/usr/lib/${triplet()}/xtables`],
    links: iptablesNames(),
  };
  const pilot: Tree = { files: { '/usr/local/bin/pilot-discovery': join(istio, 'pilot-discovery') } };
  const pause: Tree = { files: { '/pause': join(small, 'pause') } };
  const dns: Tree = { files: { '/coredns': join(coredns, 'coredns') } };
  return [
    ofIstio('pilot', pilot),
    ofIstio('proxyv2', sidecar),
    { name: 'registry.k8s.io/pause:3.10', recipe: 'pause', tree: pause },
    { name: `registry.k8s.io/coredns/coredns:v${corednsVersion}`, recipe: 'coredns', tree: dns },
    helloworld('v1'),
    helloworld('v2'),
    { name: 'docker.io/curlimages/curl:8.4.0', recipe: 'curl', tree: shellTree('/usr/bin/curl') },
  ];
}

/** A shell with the usual small programs, and some of the host's own beside them. */
export function shellTree(...programs: string[]): Tree {
  const names = applets
    .trim()
    .split(/\s+/)
    .filter((name) => !programs.some((path) => path.endsWith(`/${name}`)));
  return {
    programs: ['/usr/bin/busybox', '/usr/bin/getent', ...programs],
    links: Object.fromEntries(names.map((name) => [`/bin/${name}`, '/usr/bin/busybox'])),
  };
}

const applets = `
  sh ash awk base64 basename cat chmod chown clear cp cut date dd df dirname du echo env expr false find free grep gunzip
  gzip head hexdump hostname id ifconfig ip kill less ln ls md5sum mkdir mkfifo mktemp more mount mv nc netstat nproc
  nslookup od pidof ping ping6 printf ps pwd readlink realpath rm rmdir route sed seq sha256sum sleep sort stat strings
  stty sync tail tar tee telnet test time timeout top touch tr traceroute true tty umount uname uniq uptime vi watch wc
  wget which whoami xargs yes
`;

/** The names that iptables is called by. As in Istio's base image the plain ones are the legacy ones. */
function iptablesNames(): Record<string, string> {
  const names: Record<string, string> = {};
  for (const family of ['iptables', 'ip6tables']) {
    for (const action of ['', '-save', '-restore']) {
      names[`/usr/sbin/${family}${action}`] = 'xtables-legacy-multi';
      names[`/usr/sbin/${family}-legacy${action}`] = 'xtables-legacy-multi';
      names[`/usr/sbin/${family}-nft${action}`] = 'xtables-nft-multi';
    }
  }
  return names;
}

/** Debian's name of this machine's architecture in the paths of libraries. */
const triplet = (): string => `${process.arch === 'arm64' ? 'aarch64' : 'x86_64'}-linux-gnu`;
