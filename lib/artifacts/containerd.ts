import type { Run } from '#lib/base/command.ts';
import { RefusedError } from '#lib/base/errors.ts';
import { isOlder } from './go-version.ts';

/** Which containerd is there, and which version of its configuration it is given. */
export interface Containerd {
  /** Such as 1.7.24. */
  version: string;
  configVersion: ConfigVersion;
}

type ConfigVersion = keyof typeof cri;

/** The oldest that was seen to run a lab. */
const oldest = [1, 6] as const;

/**
 * Asks containerd which one it is. What it prints is its name, its package, its version and its revision; whoever
 * packages it chooses the last three (`version/version.go`, `cmd/containerd/command/main.go`).
 *
 * @param run runs a program where that containerd is
 * @throws RefusedError when it is older than 1.6, or says nothing that is known
 */
export async function containerdOf(run: (words: string[]) => ReturnType<Run>): Promise<Containerd> {
  const { stdout } = await run(['containerd', '--version']);
  const said = stdout.trim();
  const [, major, minor, patch = ''] = /^containerd \S+ v?(\d+)\.(\d+)(\.\d+)?/.exec(said) ?? [];
  const wanted = 'containerd 1.6, 1.7 or 2.x is needed on the nodes';
  const way = "install containerd of Debian or Ubuntu, or Docker's containerd.io, and put it first on PATH";
  if (major === undefined || minor === undefined || Number(major) > 2)
    throw new RefusedError(`${wanted}, and \`containerd --version\` says "${said}"; ${way}.`);
  const version = `${major}.${minor}${patch}`;
  if (isOlder([Number(major), Number(minor)], oldest))
    throw new RefusedError(`${wanted}, and the containerd on PATH is ${version}; ${way}.`);
  return { version, configVersion: major === '1' ? 2 : 3 };
}

/** Where a containerd keeps its files. */
export interface ContainerdPlaces {
  root: string;
  state: string;
  socket: string;
  /** The folder of the configuration of the pod network. */
  cni: string;
}

/**
 * The configuration of a containerd that runs pods by runc, in the words of its version: 1.x knows version 2 alone, and
 * 2.x would translate that at each start, and warns of what it does not know in version 3 only
 * (docs/cri/config.md, docs/PLUGINS.md, RELEASES.md of containerd).
 *
 * @returns the text of config.toml
 */
export const containerdConfig = (
  { configVersion }: Pick<Containerd, 'configVersion'>,
  { root, state, socket, cni }: ContainerdPlaces,
): string => `version = ${configVersion}
root = "${root}"
state = "${state}"
[grpc]
  address = "${socket}"
${cri[configVersion](cni)}`;

const pause = 'registry.k8s.io/pause:3.10';

// a profile of AppArmor would be loaded into the kernel that the host runs on, and stay there
const ofKernel = `disable_apparmor = true
  # without CAP_SYS_RESOURCE runc may not lower a score
  restrict_oom_score_adj = true`;

// read at each pull: where a claim has a registry, it says so there
const registries = 'config_path = "/etc/containerd/certs.d"';

/**
 * The plugins of CRI. Programs of the pod network lie in /opt/cni/bin, which is the default of all versions; the name of
 * that setting is another in 2.1 than in 2.0.
 */
const cri = {
  2: (cni: string) => `[plugins."io.containerd.grpc.v1.cri"]
  ${ofKernel}
  sandbox_image = "${pause}"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".registry]
    ${registries}
  [plugins."io.containerd.grpc.v1.cri".cni]
    conf_dir = "${cni}"
`,
  3: (cni: string) => `[plugins."io.containerd.cri.v1.images"]
  snapshotter = "overlayfs"
  [plugins."io.containerd.cri.v1.images".pinned_images]
    sandbox = "${pause}"
  [plugins."io.containerd.cri.v1.images".registry]
    ${registries}
[plugins."io.containerd.cri.v1.runtime"]
  ${ofKernel}
  [plugins."io.containerd.cri.v1.runtime".containerd]
    default_runtime_name = "runc"
    [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.cri.v1.runtime".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.cri.v1.runtime".cni]
    conf_dir = "${cni}"
`,
};
