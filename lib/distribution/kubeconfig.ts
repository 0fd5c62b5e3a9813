import { join } from 'node:path';
import { forward } from '#lib/machines/local/forward.ts';
import type { LocalLab } from '#lib/machines/local/lab.ts';
import { networks } from '#lib/machines/local/topology.ts';

/** Kubeconfig for the host, through the forwarder on loopback. */
export const hostKubeconfig = (lab: Pick<LocalLab, 'dir'>): string => join(lab.dir, 'kubeconfig');
/** Kubeconfig with the control plane's own address, for clients inside the lab. */
export const labKubeconfig = (lab: Pick<LocalLab, 'dir'>): string => join(lab.dir, 'kubeconfig.lab');

/** Forwards a port of the host's loopback to the API server. Returns the port. */
export const forwardApi = async (lab: LocalLab): Promise<number> =>
  forward(lab, 'api', networks.api.slice('https://'.length));
