import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { attempt } from '#lib/base/command.ts';
import { connecting } from './tcp.ts';
import type { Place } from './places.ts';

const here: Place = { name: 'here', attempt };

test('who listens is connected to, though it hangs up at once; who does not refuses', async () => {
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const at = server.address();
  const port = typeof at === 'object' && at ? at.port : 0;
  const open = await connecting(here, '127.0.0.1', port);
  await new Promise((resolve) => server.close(resolve));
  expect([open, await connecting(here, '127.0.0.1', port)]).toEqual(['connected', 'connection refused']);
});

test('what curl does not tell is an error', async () => {
  const silent: Place = { name: 'nowhere', attempt: async () => attempt(['true']) };
  await expect(connecting(silent, '127.0.0.1', 1)).rejects.toThrow('nowhere says nothing');
});
