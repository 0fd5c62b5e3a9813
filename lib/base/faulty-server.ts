import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, normalize } from 'node:path';

/** What goes wrong with a file -> how. */
export const faults = {
  absent: 'HTTP 404',
  busy: 'HTTP 503',
  damaged: 'its first byte is another one',
  cut: 'the connection ends after half of what is asked for',
  empty: 'the connection ends before a byte of the body',
  stalls: 'nothing comes any more after half of what is asked for',
  shifted: 'a range is answered with another one',
  shorter: 'there is nothing from the asked byte on (HTTP 416)',
} as const;

export type Fault = keyof typeof faults;

/** A server on loopback that serves files from memory, or those of a folder, and can be told what to do wrong. */
export interface FaultyServer extends AsyncDisposable {
  /** Such as http://127.0.0.1:1234, without a slash at the end. */
  address: string;
  /** Path -> content; can be changed at any time. */
  files: Map<string, Buffer>;
  /** Path -> what goes wrong with each of the next requests; the last one of a list that ends in 'on' lasts. */
  faults: Map<string, (Fault | 'none' | 'on')[]>;
  /** Whether it offers ranges; it does unless told. */
  ranges: boolean;
  /** What it was asked for, in order: the path, and the range if there was one. */
  asked: string[];
}

/**
 * Serves files as the sites of releases do: with ETag, Content-Length and, unless told, ranges.
 *
 * @param folder whose files are served at their paths, beside those in memory
 */
export async function faultyServer(folder?: string): Promise<FaultyServer> {
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    contentOf(site, path, folder).then(
      (content) => {
        answer(site, content, request, response);
      },
      () => response.destroy(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const site: FaultyServer = {
    address: `http://127.0.0.1:${String((server.address() as AddressInfo).port)}`,
    files: new Map(),
    faults: new Map(),
    ranges: true,
    asked: [],
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return site;
}

/** What stands at a path, read when it is asked for: a release is too large to be kept in memory. */
async function contentOf(site: FaultyServer, path: string, folder?: string): Promise<Buffer | undefined> {
  const own = site.files.get(path);
  if (own !== undefined || folder === undefined) return own;
  // an absolute path that was normalised leads nowhere above its root
  return readFile(join(folder, normalize(`/${decodeURIComponent(path)}`))).catch(() => undefined);
}

function answer(
  site: FaultyServer,
  there: Buffer | undefined,
  { url, headers }: IncomingMessage,
  response: ServerResponse,
): void {
  const path = url ?? '';
  site.asked.push([path, headers.range].filter((part) => part !== undefined).join(' '));
  const fault = nextFault(site, path);
  const content = fault === 'absent' ? undefined : there;
  if (content === undefined || fault === 'busy') {
    response.writeHead(content === undefined ? 404 : 503).end();
    return;
  }
  const etag = `"${createHash('sha256').update(content).digest('hex').slice(0, 16)}"`;
  const [, asked] = /^bytes=(\d+)-$/.exec(headers.range ?? '') ?? [];
  const same = headers['if-range'] === undefined || headers['if-range'] === etag;
  const from = site.ranges && asked !== undefined && same ? Number(asked) : undefined;
  if (from !== undefined && (fault === 'shorter' || from >= content.length)) {
    response.writeHead(416).end();
    return;
  }
  const body = Buffer.from(content.subarray(from ?? 0));
  if (fault === 'damaged') body.writeUInt8(body.readUInt8(0) ^ 1, 0);
  const first = (from ?? 0) + (fault === 'shifted' ? 1 : 0);
  const range = `bytes ${String(first)}-${String(content.length - 1)}/${String(content.length)}`;
  response.writeHead(from === undefined ? 200 : 206, {
    etag,
    'content-length': body.length,
    ...(from !== undefined && { 'content-range': range }),
  });
  if (fault === 'empty') {
    response.flushHeaders();
    response.destroy();
  } else if (fault === 'cut' || fault === 'stalls') {
    response.write(body.subarray(0, body.length / 2), () => {
      if (fault === 'cut') response.destroy();
    });
  } else response.end(body);
}

function nextFault({ faults }: FaultyServer, path: string): Fault | 'none' {
  const list = faults.get(path) ?? [];
  const [next = 'none', after] = list;
  if (next === 'on') return 'none';
  if (after !== 'on') list.shift();
  return next;
}
