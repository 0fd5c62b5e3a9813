import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { ImageIndex } from '#lib/artifacts/oci-layout.ts';
import { change, type Change } from '#lib/kube/manifest.ts';

/** A registry as long as it is not undone. */
export interface Registry extends Change {
  /** Host and port, on loopback. */
  address: string;
}

/**
 * Serves an OCI image layout as a registry does to whoever pulls: under any name and tag it has this one image.
 *
 * @param layout the folder of the image
 */
export async function servingImage(layout: string): Promise<Registry> {
  const text = await readFile(join(layout, 'index.json'), 'utf8');
  const index = JSON.parse(text) as ImageIndex;
  const server = createServer((request, response) => {
    const { path, type } = whatFor(request.url ?? '', index) ?? {};
    if (type === undefined) {
      answer(response, 404, 'text/plain', '');
      return;
    }
    if (path === undefined) {
      answer(response, 200, type, type === index.mediaType ? text : '{}');
      return;
    }
    const file = join(layout, path);
    stat(file).then(
      ({ size }) => {
        response.writeHead(200, { 'content-type': type, 'content-length': size });
        if (request.method === 'HEAD') response.end();
        else createReadStream(file).pipe(response);
      },
      () => {
        answer(response, 404, 'text/plain', '');
      },
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const closing = change('a registry on loopback', async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { ...closing, address: `127.0.0.1:${String(port)}` };
}

/** Which file of the layout (none: the index, or the greeting) answers a path of the registry, and what it is. */
export function whatFor(url: string, index: ImageIndex): { path?: string; type: string } | undefined {
  if (url === '/v2/') return { type: 'application/json' };
  const [, kind, reference = ''] = /^\/v2\/.+\/(manifests|blobs)\/([\w.:-]+)$/.exec(url) ?? [];
  const digest = /^sha256:([0-9a-f]{64})$/.exec(reference)?.[1];
  const path = `blobs/sha256/${digest ?? ''}`;
  if (kind === 'blobs') return digest === undefined ? undefined : { path, type: 'application/octet-stream' };
  if (kind !== 'manifests') return undefined;
  if (digest === undefined) return { type: index.mediaType };
  const manifest = index.manifests.find((one) => one.digest === reference);
  return manifest && { path, type: manifest.mediaType };
}

function answer(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
