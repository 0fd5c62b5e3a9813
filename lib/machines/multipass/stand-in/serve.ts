import type { Socket } from 'node:net';
import { PassThrough, type Readable } from 'node:stream';
import type { Streams } from './backend.ts';
import { frame, frames } from './frames.ts';

/** One use of the client, as it reaches the service. */
export interface Call {
  input: Readable;
  /** What the client's standard input is. */
  inputIs: 'pipe' | 'file' | 'device';
  say: (text: string) => void;
  streams: Streams;
}

/** Serves one client: words first, then its input. One that goes away ends nothing. */
export function serve(
  client: Socket,
  answer: (words: string[], call: Call) => Promise<number | undefined>,
): void {
  const cut = frames();
  const input = new PassThrough();
  const send = (kind: string, bytes: Uint8Array): void => {
    if (client.writable) client.write(frame(kind, bytes));
  };
  const begin = async (text: string): Promise<void> => {
    const [inputIs, ...words] = text.split('\0') as [Call['inputIs'], ...string[]];
    const code = await answer(words, {
      input,
      inputIs,
      say: (line) => {
        send('1', Buffer.from(line));
      },
      streams: {
        input,
        out: (bytes) => {
          send('1', bytes);
        },
        err: (bytes) => {
          send('2', bytes);
        },
      },
    });
    // a client that hangs is one that never hears of the end
    if (code === undefined) return;
    send('x', Uint8Array.of(code));
    client.end();
  };
  client.on('error', () => undefined);
  client.on('close', () => input.end());
  client.on('data', (bytes) => {
    for (const { kind, content } of cut(bytes)) {
      if (kind === 'w') void begin(content.toString());
      else if (kind === 'i') input.write(content);
      else input.end();
    }
  });
}
