import { join } from 'node:path';
import { writeAtomic } from '#lib/base/files.ts';
import { forward } from '#lib/machines/local/forward.ts';
import type { LocalLab } from '#lib/machines/local/lab.ts';
import { topologyOf } from '#lib/machines/topology.ts';

/** Kubeconfig for the host, through the forwarder on loopback. */
export const hostKubeconfig = (lab: Pick<LocalLab, 'dir'>): string => join(lab.dir, 'kubeconfig');
/** Kubeconfig with the control plane's own address, for clients inside the lab. */
export const labKubeconfig = (lab: Pick<LocalLab, 'dir'>): string => join(lab.dir, 'kubeconfig.lab');

/** Forwards a port of the host's loopback to the API server. Returns the port. */
export const forwardApi = async (lab: LocalLab): Promise<number> =>
  forward(lab, 'api', topologyOf(lab).api.slice('https://'.length));

/**
 * Writes both kubeconfigs of a lab, mode 0600.
 *
 * @param admin the text of the administrator's, with the control plane's own address
 * @param port of the forwarder
 */
export async function writeKubeconfigs(
  lab: Pick<LocalLab, 'name' | 'dir'>,
  admin: string,
  port: number,
): Promise<void> {
  const onLoopback = admin.replace(topologyOf(lab).api, `https://127.0.0.1:${String(port)}`);
  await writeAtomic(labKubeconfig(lab), admin, 0o600);
  await writeAtomic(hostKubeconfig(lab), onLoopback, 0o600);
}
