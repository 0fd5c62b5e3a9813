import type { Within } from '#lib/base/deadline.ts';
import { createPrivateKey, sign } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ours } from '#lib/base/deadlines.ts';
import { until } from '#lib/base/until.ts';
import { controlPlaneOf } from '#lib/distribution/distribution.ts';
import { change, type Change } from '#lib/kube/manifest.ts';
import { endOfLogs, type LogMark } from '#lib/probes/agent-log.ts';
import { certificateIn, type Certificate } from '#lib/probes/certificates.ts';
import { inMesh } from './health.ts';
import type { Lab } from './lab.ts';
import { redirectsKept } from './redirects-kept.ts';
import { killSidecar, registered } from './sidecar.ts';
import {
  bootstrap,
  configureWorkload,
  placement,
  sidecarReady,
  startSidecar,
  workloadFiles,
} from './workload.ts';
import { orUndone } from './passing.ts';

/** Where the agent on the VM keeps the certificate that it was issued, and its key. */
export const certificateOfVm = '/etc/certs/cert-chain.pem';
const keyOfVm = '/etc/certs/key.pem';
const tokenOfVm = placement['istio-token'] ?? '';

/** The times in a token, in seconds since 1970. They are no secret; the token is. */
export interface TokenTimes {
  issuedAt: number;
  expiresAt: number;
}

/** The VM with an expired token, without a certificate on disk, its sidecar started anew. */
export interface ExpiredToken extends Change {
  /** The ends of the VM's logs before the sidecar was started. */
  readonly mark: LogMark;
  /** When the sidecar was started, as the API server writes times. */
  readonly since: string;
  /** The certificate that was taken away. */
  readonly before: Certificate;
  readonly times: TokenTimes;
}

/**
 * The quick form of an expired token: Kubernetes gives none that lives less than ten minutes, so one is minted that
 * was given two hours ago for one hour, with the cluster's own signing key. A long run may wait for a real one.
 * The undo reruns the workload and bootstrap steps, unless that was done, and waits until the VM is back in the mesh.
 */
export async function expiredToken(lab: Lab): Promise<ExpiredToken> {
  const { vm } = lab;
  const before = await certificateIn(vm, certificateOfVm);
  const real = await readFile(join(workloadFiles(lab), 'istio-token'), 'utf8');
  const now = Math.floor(Date.now() / 1000);
  const times = { issuedAt: now - 2 * 3600, expiresAt: now - 3600 };
  const token = reissued(real, await signingKey(lab), times);

  const undoing = change('an expired token', async () => {
    if ((await tokenTimes(lab)).expiresAt * 1000 < Date.now()) await rerun(lab);
    await startSidecar(lab, ours.sidecarAgain);
    await backInMesh(lab);
  });
  return orUndone(undoing, async () => {
    // the rerun brings a cluster.env of its own
    await redirectsKept(lab);
    await killSidecar(lab);
    const mark = await endOfLogs(vm);
    const place = `rm -f ${certificateOfVm} ${keyOfVm} && cat >${tokenOfVm}`;
    await vm.run(['bash', '-c', place], { input: token, secret: true });
    const since = new Date().toISOString();
    await vm.run(['systemctl', 'start', 'istio']);
    return { ...undoing, mark, since, before, times };
  });
}

/** The documented way out: install.workload.sh and install.vm.bootstrap.sh once more. Restarts nothing. */
export async function rerun(lab: Lab): Promise<void> {
  await configureWorkload(lab);
  await bootstrap(lab);
}

/** Waits until the agent has a certificate on disk. */
export async function certified(lab: Lab, within: Within = ours.certified): Promise<Certificate> {
  return until(
    `the VM has a certificate in ${certificateOfVm}`,
    async () => certificateIn(lab.vm, certificateOfVm),
    () => true,
    { within, every: 300 },
  );
}

/** Waits until the VM is registered and healthy, and until the mesh sends requests to it. */
export async function backInMesh(lab: Lab, within: Within = ours.backInMesh): Promise<void> {
  // what is told about its health may be of before, and hold until its first probe
  await sidecarReady(lab, within);
  await registered(lab, within);
  await inMesh(lab);
}

/** The times in the token on the VM. */
export async function tokenTimes({ vm }: Pick<Lab, 'vm'>): Promise<TokenTimes> {
  const { stdout } = await vm.run(['cat', tokenOfVm], { secret: true });
  const { iat = 0, exp = 0 } = partOf(stdout, 1) as { iat?: number; exp?: number };
  return { issuedAt: iat, expiresAt: exp };
}

/**
 * A token that says what another says but for its times, signed with a key of our choice: ES256 or, with a key of that
 * kind, RS256, as the other was.
 *
 * @param key PEM
 */
export function reissued(token: string, key: string, { issuedAt, expiresAt }: TokenTimes): string {
  const claims = { ...partOf(token, 1), iat: issuedAt, nbf: issuedAt, exp: expiresAt };
  const content = [partOf(token, 0), claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  );
  const signed = sign('sha256', Buffer.from(content.join('.')), {
    key: createPrivateKey(key),
    // of an elliptic key; another has no such thing
    dsaEncoding: 'ieee-p1363',
  });
  return [...content, signed.toString('base64url')].join('.');
}

function partOf(token: string, place: 0 | 1): Record<string, unknown> {
  const part = token.trim().split('.')[place] ?? '';
  return JSON.parse(Buffer.from(part, 'base64url').toString('utf8')) as Record<string, unknown>;
}

/** The key that the cluster signs service account tokens with, PEM. */
async function signingKey({ nodes, distribution }: Pick<Lab, 'nodes' | 'distribution'>): Promise<string> {
  const { signingKey: path } = distribution;
  const master = controlPlaneOf(nodes);
  const seen = master.onHost(path);
  return seen === undefined ? master.read(path) : readFile(seen, 'utf8');
}
