import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { parse } from 'yaml';
import { ours } from '#lib/base/deadlines.ts';

/** A bare connection to the API server, for programs that must start quickly: the client library takes a second. */
export interface Connection {
  /** Asks for a path; the answer's body is yet to be read. @throws RefusalError for any status but 200. */
  get(path: string, signal: AbortSignal): Promise<IncomingMessage>;
  /** A patch of the given type. @throws RefusalError when the API server refuses. */
  patch(path: string, type: 'merge-patch+json' | 'apply-patch+yaml', body: object): Promise<void>;
}

/** The API server's answer was not the one that was asked for. */
export class RefusalError extends Error {
  override name = 'RefusalError';
  readonly status: number;

  constructor(status: number, what: string, said = '') {
    super(`The API server answered ${String(status)} to ${what}${said && `: ${said.slice(0, 500)}`}`);
    this.status = status;
  }
}

/** An API server sends a bookmark each minute; a connection that is silent for longer is dead. */
const silence = ours.apiSilence;

interface KubeConfigFile {
  clusters: [{ cluster: { server: string; 'certificate-authority-data': string } }];
  users: [{ user: { 'client-certificate-data': string; 'client-key-data': string } }];
}

/** Connects by a kubeconfig file that has one cluster and one user with a client certificate. Sends nothing yet. */
export function connection(kubeconfig: string): Connection {
  const { clusters, users } = parse(readFileSync(kubeconfig, 'utf8')) as KubeConfigFile;
  const [{ cluster }] = clusters;
  const [{ user }] = users;
  const decoded = (data: string): Buffer => Buffer.from(data, 'base64');
  const agent = new Agent({
    keepAlive: true,
    ca: decoded(cluster['certificate-authority-data']),
    cert: decoded(user['client-certificate-data']),
    key: decoded(user['client-key-data']),
  });

  const ask = async (
    method: string,
    path: string,
    { type, body, signal }: { type?: string; body?: object; signal?: AbortSignal },
  ): Promise<IncomingMessage> => {
    const what = `${method} ${path}`;
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      const asked = request(
        new URL(path, cluster.server),
        { method, agent, timeout: silence.ms, signal },
        resolve,
      );
      asked.on('error', reject);
      asked.on('timeout', () => {
        asked.destroy(new Error(`The API server was silent for ${silence.told} after ${what}`));
      });
      if (type !== undefined) asked.setHeader('Content-Type', `application/${type}`);
      asked.end(body && JSON.stringify(body));
    });
    answer.setEncoding('utf8');
    const { statusCode = 0 } = answer;
    if (statusCode >= 300) throw new RefusalError(statusCode, what, await textOf(answer));
    return answer;
  };
  return {
    get: async (path, signal) => ask('GET', path, { signal }),
    patch: async (path, type, body) => {
      await textOf(await ask('PATCH', path, { type, body }));
    },
  };
}

async function textOf(answer: AsyncIterable<unknown>): Promise<string> {
  let text = '';
  for await (const part of answer) text += String(part);
  return text;
}
