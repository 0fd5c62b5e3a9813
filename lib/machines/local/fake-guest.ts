import { closeSync, openSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';

/** How a fake guest answers one question: an answer, an error's text, or nothing at all. */
export type Answer = { return: unknown } | { error: { desc: string } } | undefined;

/**
 * A guest agent for tests, listening on one port in `dir`. It answers the synchronisation itself, serves one client at
 * a time as QEMU does, and puts rubbish before the first answer, as an agent does that was cut off half-way.
 */
export async function fakeGuest(
  dir: string,
  port: string,
  answer: (execute: string, args: Record<string, unknown>) => Answer,
): Promise<{ asked: string[]; close: () => void }> {
  const asked: string[] = [];
  const clients = new Set<Socket>();
  const server: Server = createServer((client) => {
    clients.add(client);
    let text = '';
    client.on('error', () => undefined);
    client.on('data', (bytes) => {
      text += bytes.toString('latin1');
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) {
        const question = JSON.parse(Buffer.from(line.replace('\xff', ''), 'latin1').toString()) as {
          execute: string;
          arguments?: Record<string, unknown>;
        };
        if (question.execute === 'guest-sync-delimited') {
          client.write(
            Buffer.from(`half of an ans\xff{"return": ${String(question.arguments?.['id'])}}\n`, 'latin1'),
          );
          continue;
        }
        asked.push(question.execute);
        const reply = answer(question.execute, question.arguments ?? {});
        if (reply) client.write(`${JSON.stringify(reply)}\n`);
      }
    });
  });
  // the folder's own path may be too long for a socket
  const folder = openSync(dir, 'r');
  await new Promise<void>((resolve) =>
    server.listen(`/proc/self/fd/${String(folder)}/${port}.sock`, resolve),
  );
  return {
    asked,
    close: () => {
      for (const client of clients) client.destroy();
      server.close();
      closeSync(folder);
    },
  };
}
