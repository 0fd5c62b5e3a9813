import { basename, join } from 'node:path';
import { sha256File } from '#lib/base/files.ts';
import type { Architecture } from './architecture.ts';
import { writeLayout, type PlatformImage } from './oci-layout.ts';
import { produce, type Build, type Place } from './store.ts';

/** The folders of the two programs of the proxy, for one architecture. */
export interface ProxyPrograms {
  envoy: string;
  agent: string;
}

/**
 * An image with the two programs of docker.io/istio/proxyv2 for several architectures, as its registry has it. No node
 * runs it: what is taken out of it are the programs.
 *
 * @returns the folder of an OCI image layout
 */
export async function proxyImage(
  programs: Readonly<Record<Architecture, ProxyPrograms>>,
  place?: Place,
): Promise<string> {
  const images = Object.entries(programs).map(([architecture, { envoy, agent }]): PlatformImage => ({
    architecture: architecture as Architecture,
    files: {
      '/usr/local/bin/envoy': join(envoy, 'envoy'),
      '/usr/local/bin/pilot-agent': join(agent, 'pilot-agent'),
    },
    entrypoint: ['/usr/local/bin/pilot-agent'],
  }));
  // the folders' names carry their keys
  const sources = Object.values(programs).flatMap(({ envoy, agent }) => [basename(envoy), basename(agent)]);
  const recipe = await sha256File(new URL('oci-layout.ts', import.meta.url).pathname);
  const build: Build = async (dir, _, run) => writeLayout(dir, images, run);
  return produce('proxy-image', { sources, recipe }, 'proxyv2 for amd64 and arm64', 5000, build, place);
}
