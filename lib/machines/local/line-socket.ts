import { closeSync, constants, openSync } from 'node:fs';
import { connect } from 'node:net';
import { msOf, toldOf, type Within } from '#lib/base/deadline.ts';
import { messageOf } from '#lib/base/errors.ts';

/** A conversation of JSON lines over a unix socket: one question at a time, each with a deadline. */
export interface LineSocket {
  /** Whether it can still be used; after a missed deadline it cannot, as a late answer would be taken for another. */
  readonly open: boolean;
  /**
   * Sends text and returns the first line that is an answer to it; other lines are dropped. Callers queue.
   *
   * @param within deadline, from the moment of sending
   */
  ask(text: string | Buffer, isAnswer: (line: unknown) => boolean, within: Within): Promise<unknown>;
  close(): void;
}

interface Waiting {
  isAnswer: (line: unknown) => boolean;
  resolve: (line: unknown) => void;
  reject: (error: Error) => void;
}

/**
 * Connects to the socket `file` in the folder `dir`. Keeps no process alive while no question is open.
 *
 * @param closed called once when the conversation is over, for whatever reason
 * @param idleMs closes by itself after so long without traffic
 */
export async function openLineSocket(
  dir: string,
  file: string,
  { closed, idleMs = 0 }: { closed?: () => void; idleMs?: number } = {},
): Promise<LineSocket> {
  // a unix socket's path may have 107 bytes; this one is short wherever the folder is
  const folder = openSync(dir, constants.O_RDONLY | constants.O_DIRECTORY);
  const socket = connect(`/proc/self/fd/${String(folder)}/${file}`);
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve).once('error', reject);
    });
  } catch (error) {
    throw new Error(`Nothing answers on ${dir}/${file}: ${messageOf(error)}`, { cause: error });
  } finally {
    closeSync(folder);
  }

  let waiting: Waiting | undefined;
  let queue: Promise<unknown> = Promise.resolve();
  let parts: Buffer[] = [];
  const settle = (): Waiting | undefined => {
    const was = waiting;
    waiting = undefined;
    socket.unref();
    return was;
  };
  const onLine = (bytes: Buffer): void => {
    // 0xFF cannot be part of JSON: it marks where an answer begins, after whatever was left from before
    const line = parse(bytes.subarray(bytes.lastIndexOf(0xff) + 1));
    if (line !== undefined && waiting?.isAnswer(line)) settle()?.resolve(line);
  };
  socket.unref();
  socket.setTimeout(idleMs);
  // each time: an answer that is slow may be waited for at the first
  socket.on('timeout', () => {
    if (!waiting) socket.destroy();
  });
  socket.on('data', (bytes) => {
    let from = 0;
    for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, from)) {
      onLine(Buffer.concat([...parts, bytes.subarray(from, end)]));
      parts = [];
      from = end + 1;
    }
    if (from < bytes.length) parts.push(bytes.subarray(from));
  });
  socket.on('error', () => undefined);
  socket.on('close', () => {
    settle()?.reject(new Error(`${dir}/${file} was closed before it answered`));
    closed?.();
  });

  const exchange = async (
    text: string | Buffer,
    isAnswer: Waiting['isAnswer'],
    within: Within,
  ): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (socket.destroyed) {
        reject(new Error(`${dir}/${file} is closed`));
        return;
      }
      const late = AbortSignal.timeout(msOf(within));
      const onLate = (): void => {
        settle();
        socket.destroy();
        reject(new Error(`${dir}/${file} did not answer within ${toldOf(within)}`));
      };
      const done = (): void => {
        late.removeEventListener('abort', onLate);
      };
      late.addEventListener('abort', onLate, { once: true });
      waiting = {
        isAnswer,
        resolve: (line) => {
          done();
          resolve(line);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      };
      socket.ref();
      socket.write(text);
    });

  return {
    get open() {
      return !socket.destroyed;
    },
    ask: async (text, isAnswer, within) => {
      const answer = queue.then(async () => exchange(text, isAnswer, within));
      queue = answer.catch(() => undefined);
      return answer;
    },
    close: () => {
      socket.destroy();
    },
  };
}

function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    return undefined;
  }
}
