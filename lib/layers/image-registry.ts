import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Descriptor, ImageIndex } from '#lib/artifacts/oci-layout.ts';
import { change, type Change } from '#lib/kube/manifest.ts';

/** A registry as long as it is not undone. */
export interface Registry extends Change {
  /** Host and port. */
  address: string;
}

/** Where a registry listens, and what it has. */
interface Serving {
  /** The address of the host; loopback unless told. */
  host?: string;
  /** Any free one unless told. */
  port?: number;
  /** The only architecture, in the words of images, that the image is there for; all that it has unless told. */
  only?: string;
}

/** Serves an OCI image layout, by its folder, to whoever pulls: under any name and tag there is this one image. */
export const servingImage = async (layout: string, { only, ...where }: Serving = {}): Promise<Registry> => {
  const offered = ({ platform }: Descriptor): boolean =>
    only === undefined || platform?.architecture === only;
  const { manifests, ...index } = await indexOf(layout);
  const image = { layout, index: { ...index, manifests: manifests.filter(offered) } };
  return serving(() => image, where);
};

/** Serves images, name -> folder of an OCI image layout, to whoever pulls; each under any tag. */
export async function servingImages(layouts: Readonly<Record<string, string>>): Promise<Registry> {
  const images = new Map<string, Served>();
  for (const [name, layout] of Object.entries(layouts))
    images.set(name, { layout, index: await indexOf(layout) });
  return serving((name) => images.get(name), {});
}

interface Served {
  layout: string;
  index: ImageIndex;
}

const indexOf = async (layout: string): Promise<ImageIndex> =>
  JSON.parse(await readFile(join(layout, 'index.json'), 'utf8')) as ImageIndex;

/** A registry whose images are found by their names. */
async function serving(
  imageOf: (name: string) => Served | undefined,
  { host = '127.0.0.1', port = 0 }: Omit<Serving, 'only'>,
): Promise<Registry> {
  const server = createServer((request, response) => {
    const url = request.url ?? '';
    if (url === '/v2/') {
      answer(response, 200, 'application/json', '{}');
      return;
    }
    const image = imageOf(nameIn(url));
    const { path, type } = (image && whatFor(url, image.index)) ?? {};
    if (image === undefined || type === undefined) {
      answer(response, 404, 'text/plain', '');
      return;
    }
    if (path === undefined) {
      answer(response, 200, type, JSON.stringify(image.index));
      return;
    }
    const file = join(image.layout, path);
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
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  const bound = server.address() as AddressInfo;
  const closing = change('a registry', async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return { ...closing, address: `${host}:${String(bound.port)}` };
}

const digestOf = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

/** The name of the image that a path of the registry is about. */
export const nameIn = (url: string): string => /^\/v2\/([^?]+)\/(?:manifests|blobs)\//.exec(url)?.[1] ?? '';

/** Which file of the layout (none: the index) answers a path of the registry, and what it is. */
export function whatFor(url: string, index: ImageIndex): { path?: string; type: string } | undefined {
  // containerd says behind a question mark which registry it means
  const [, kind, reference = ''] = /^\/v2\/[^?]+\/(manifests|blobs)\/([\w.:-]+)(?:\?|$)/.exec(url) ?? [];
  const digest = /^sha256:([0-9a-f]{64})$/.exec(reference)?.[1];
  const path = `blobs/sha256/${digest ?? ''}`;
  if (kind === 'blobs') return digest === undefined ? undefined : { path, type: 'application/octet-stream' };
  if (kind !== 'manifests') return undefined;
  if (digest === undefined || reference === digestOf(JSON.stringify(index))) return { type: index.mediaType };
  const manifest = index.manifests.find((one) => one.digest === reference);
  return manifest && { path, type: manifest.mediaType };
}

function answer(response: ServerResponse, status: number, type: string, text: string): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
