import { PassThrough } from 'node:stream';
import { parse } from 'yaml';
import type { Backend } from './backend.ts';

/** What cloud-init does of what the harness asks it for. Like cloud-init's, its failures are not the launch's. */
export async function cloudInit(backend: Backend, name: string, text: string): Promise<void> {
  interface UserData {
    write_files?: { path: string; content: string; permissions?: string; owner?: string }[];
    runcmd?: string[][];
  }
  const { write_files: files = [], runcmd = [] } = (parse(text) ?? {}) as UserData;
  for (const { path, content, permissions = '0644', owner = '' } of files) {
    const script =
      'mkdir -p "$(dirname "$1")"; cat >"$1"; [ "$3" = root:root ] || chown "$3" "$1"; chmod "$2" "$1"';
    await quietly(
      backend,
      name,
      ['sh', '-c', script, '-', path, permissions, owner],
      Buffer.from(content, 'base64'),
    );
  }
  const log = 'mkdir -p /var/log; exec >>/var/log/cloud-init-output.log 2>&1; exec "$@"';
  for (const words of runcmd) await quietly(backend, name, ['sh', '-c', log, '-', ...words]);
}

async function quietly(
  backend: Backend,
  name: string,
  words: string[],
  input: Uint8Array = Buffer.alloc(0),
): Promise<number> {
  const stream = new PassThrough();
  stream.end(input);
  return backend.exec(name, words, { input: stream, out: () => undefined, err: () => undefined });
}
