import { randomBytes } from 'node:crypto';
import { ours } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import type { Kube } from '#lib/kube/client.ts';
import type { Place } from './places.ts';

/** A line of Istio's default access log, as far as claims look at it; `-` is what Envoy writes for nothing. */
export interface Access {
  /** Such as `GET /hello HTTP/1.1`. */
  request: string;
  status: string;
  /** Why Envoy answered itself: UF, UH, NR and so on. */
  flags: string;
  /** Such as `via_upstream`, or what failed on the way there. */
  details: string;
  transportFailure: string;
  userAgent: string;
  upstream: string;
  cluster: string;
  /** The address that the request was sent on from; its port tells the connection at the other end. */
  upstreamLocal: string;
  downstreamRemote: string;
  /** The server name that the caller's TLS asked for. */
  serverName: string;
}

/** A word that no other request carries; sent as its User-Agent, it finds the request in every access log. */
export const newMark = (): string => `claim-${randomBytes(6).toString('hex')}`;

/** The headers that carry a mark. */
export const marked = (mark: string): { headers: Record<string, string> } => ({
  headers: { 'User-Agent': mark },
});

/** Reads one line; undefined when it is no line of the access log. */
export function accessIn(line: string): Access | undefined {
  const start = line.indexOf('[20');
  const fields = line.slice(start).match(/\[[^\]]*\]|"[^"]*"|\S+/g) ?? [];
  if (start < 0 || fields.length < 21) return undefined;
  const field = (place: number): string => (fields[place] ?? '-').replace(/^"(.*)"$/, '$1');
  return {
    request: field(1),
    status: field(2),
    flags: field(3),
    details: field(4),
    transportFailure: field(6),
    userAgent: field(12),
    upstream: field(15),
    cluster: field(16),
    upstreamLocal: field(17),
    downstreamRemote: field(19),
    serverName: field(20),
  };
}

/** Where the access log of a proxy is read. */
export type AccessLog = (lines: number) => Promise<string>;

/** The access log of a pod's sidecar or of a gateway: what its istio-proxy says on standard output. */
export const accessLogOfPod =
  (kube: Kube, namespace: string, pod: string): AccessLog =>
  async (lines) =>
    kube.raw(
      `/api/v1/namespaces/${namespace}/pods/${pod}/log?container=istio-proxy&tailLines=${String(lines)}`,
    );

/** The access log of the VM's sidecar, which is in the log of its agent. */
export const accessLogOfVm =
  (vm: Place): AccessLog =>
  async (lines) =>
    (await vm.attempt(['tail', '-n', String(lines), '/var/log/istio/istio.log'])).stdout;

/** The entries that meet a condition, among the last thousand lines as they are now. */
export async function accesses(log: AccessLog, wanted: (access: Access) => boolean): Promise<Access[]> {
  const lines = (await log(1000)).split('\n');
  return lines.flatMap((line) => {
    const access = accessIn(line);
    return access && wanted(access) ? [access] : [];
  });
}

/** Waits for the entries of a request that carried a mark. */
export async function accessMarked(mark: string, ...logs: readonly AccessLog[]): Promise<Access[]> {
  return accessFound(`the request ${mark}`, ({ userAgent }) => userAgent === mark, ...logs);
}

/** Waits for the entries of what came over the connection that another proxy's entry tells of. */
export async function accessOver(
  { upstreamLocal }: Access,
  ...logs: readonly AccessLog[]
): Promise<Access[]> {
  const port = upstreamLocal.replace(/^.*:/, ':');
  const same = ({ downstreamRemote }: Access): boolean => downstreamRemote.endsWith(port);
  return accessFound(`what was sent from ${upstreamLocal}`, same, ...logs);
}

/** Waits for the entries of a proxy in front, which sent on what this entry tells of. */
export async function accessBefore(
  { downstreamRemote }: Access,
  ...logs: readonly AccessLog[]
): Promise<Access[]> {
  const same = ({ upstreamLocal }: Access): boolean => upstreamLocal === downstreamRemote;
  return accessFound(`what was sent on from ${downstreamRemote}`, same, ...logs);
}

/** Envoy writes its log once a second. */
async function accessFound(
  what: string,
  wanted: (access: Access) => boolean,
  ...logs: readonly AccessLog[]
): Promise<Access[]> {
  return until(
    `an access log tells of ${what}`,
    async () => (await Promise.all(logs.map(async (log) => accesses(log, wanted)))).flat(),
    (found) => found.length > 0,
    { within: ours.accessLogged, every: 300 },
  );
}
