import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { contained } from '#lib/artifacts/contained.ts';
import { run, type Run } from '#lib/base/command.ts';
import { change, type Change } from '#lib/kube/manifest.ts';
import { servingImage } from './image-registry.ts';
import type { Lab } from './lab.ts';

/** Room of its own for a container tool: images and containers are here alone, and docker.io is a registry on loopback. */
export interface ToolRoom extends Change {
  /** Runs the tool here; what it mounts is gone with the command. */
  run: Run;
  /** A folder that goes with the room. */
  dir: string;
}

/** @param name of the room; each begins without images */
export async function toolRoom(lab: Pick<Lab, 'dir' | 'programs'>, name: string): Promise<ToolRoom> {
  const dir = join(lab.dir, 'container-tool', name);
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const registry = await servingImage(lab.programs.arm64.proxyImage);
  const files: Record<string, string> = {
    'storage.conf': storage(dir),
    'containers.conf': engine(dir),
    'registries.conf': registries(registry.address),
  };
  for (const [file, text] of Object.entries(files)) await writeFile(join(dir, file), text);
  const env = {
    CONTAINERS_STORAGE_CONF: join(dir, 'storage.conf'),
    CONTAINERS_CONF: join(dir, 'containers.conf'),
    CONTAINERS_REGISTRIES_CONF: join(dir, 'registries.conf'),
    TMPDIR: dir,
  };
  const closing = change(`room for a container tool`, async () => {
    await registry.undo();
    await rm(dir, { recursive: true, force: true });
  });
  return {
    ...closing,
    dir,
    run: async (words, options = {}) =>
      run(contained(words), { ...options, env: { ...env, ...options.env } }),
  };
}

const storage = (dir: string): string => `
[storage]
driver = "overlay"
graphroot = "${dir}/images"
runroot = "${dir}/run"
`;

/** Locks in files: those in shared memory would be shared with every other podman of the machine. */
const engine = (dir: string): string => `
[engine]
tmp_dir = "${dir}/tmp"
static_dir = "${dir}/containers"
volume_path = "${dir}/volumes"
lock_type = "file"
events_logger = "none"
cgroup_manager = "cgroupfs"
`;

/** All of docker.io is there, and nowhere else. */
const registries = (address: string): string => `
[[registry]]
prefix = "docker.io"
location = "${address}"
insecure = true
`;
