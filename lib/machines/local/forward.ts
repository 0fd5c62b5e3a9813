import { readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { run, spawnDetached } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { exists } from '#lib/base/files.ts';
import { ownProgram } from '#lib/base/own-program.ts';
import { until } from '#lib/base/until.ts';
import { enterLab, type LocalLab } from './lab.ts';

/**
 * Forwards a port of the host's loopback to an address in the lab, so that no client of the host ever uses a lab
 * address. Two processes meet at a unix socket: one listens in the host's network, the other connects in the lab's.
 * Where the lab's machines are on a network of the host, one program of Node does both.
 *
 * @param name of what is reached, such as `api`
 * @param address such as 192.168.64.60:6443
 * @returns the port
 */
export async function forward(lab: LocalLab, name: string, address: string): Promise<number> {
  if (lab.addresses === undefined) return forwardElsewhere(lab, name, address);
  const port = await freePort();
  const socket = join(lab.dir, `${name}.sock`);
  const listen = `TCP-LISTEN:${String(port)},bind=127.0.0.1,reuseaddr,fork`;
  const log = `exec "$@" >>'${join(lab.dir, 'forward.log')}' 2>&1 </dev/null`;
  const inside = enterLab(lab);
  const outside = inside.filter((word) => word !== '-n');
  await run([
    ...inside,
    'setsid',
    '-f',
    'sh',
    '-c',
    log,
    '-',
    'socat',
    `UNIX-LISTEN:${socket},fork,mode=600`,
    `TCP:${address}`,
  ]);
  await until(`the forwarder to ${name} listens`, async () => Promise.resolve(exists(socket)), Boolean, {
    within: ours.serverAnswers,
    every: 10,
  });
  await run([...outside, 'setsid', '-f', 'sh', '-c', log, '-', 'socat', listen, `UNIX-CONNECT:${socket}`]);
  return port;
}

/** It is of the lab, and in a session of its own: it stays when this run ends, and goes with the lab. */
async function forwardElsewhere(lab: LocalLab, name: string, address: string): Promise<number> {
  const file = join(lab.dir, `${name}.port`);
  await rm(file, { force: true });
  const [host = '', port = ''] = address.split(':');
  const words = [...enterLab(lab), ...ownProgram('lib/machines/local/forwarder.ts'), host, port, file];
  await spawnDetached(words, { log: join(lab.dir, 'forward.log') });
  await until(`the forwarder to ${name} listens`, async () => Promise.resolve(exists(file)), Boolean, {
    within: ours.serverAnswers,
    every: 10,
  });
  return Number(await readFile(file, 'utf8'));
}

export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        resolve(typeof address === 'object' && address ? address.port : 0);
      });
    });
  });
}
