import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { temporary } from '#lib/base/temporary.ts';
import { seconds, until } from '#lib/base/until.ts';
import { openLineSocket } from './line-socket.ts';

let scratch: Awaited<ReturnType<typeof temporary>>;
let server: Server;
const clients: Socket[] = [];
let asked = 0;

beforeEach(async () => {
  scratch = await temporary();
  asked = 0;
  server = createServer((client) => {
    clients.push(client);
    client.on('data', () => (asked += 1));
  });
  await new Promise<void>((resolve) => server.listen(join(scratch.path, 'any.sock'), resolve));
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  server.close();
  await scratch[Symbol.asyncDispose]();
});

test('who answered late is let go all the same when nothing more is asked', async () => {
  let closed = false;
  const socket = await openLineSocket(scratch.path, 'any.sock', {
    idleMs: 20,
    closed: () => {
      closed = true;
    },
  });
  const answer = socket.ask('{}\n', () => true, seconds(20));
  await until('it is asked', async () => Promise.resolve(asked), Boolean, { within: seconds(10), every: 10 });
  // it has been idle for longer than that while the answer was waited for
  const since = performance.now();
  await until(
    'the answer is late',
    async () => Promise.resolve(performance.now() - since),
    (ms) => ms > 100,
    { within: seconds(10), every: 20 },
  );
  expect(socket.open).toBe(true);
  clients[0]?.write('{}\n');
  await answer;

  await until('it has closed', async () => Promise.resolve(closed), Boolean, {
    within: seconds(10),
    every: 20,
  });
  expect(socket.open).toBe(false);
});
