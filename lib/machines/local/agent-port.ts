import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { messageOf } from '#lib/base/errors.ts';
import { tryLock } from '#lib/base/lock.ts';
import { seconds, until } from '#lib/base/until.ts';
import { openLineSocket, type LineSocket } from './line-socket.ts';
import { agentPorts } from './qemu.ts';

/** Asks the guest agent one thing at a time, over a port that this process has for itself as long as it is busy. */
export interface AgentPort {
  /**
   * @param within deadline in milliseconds, from the moment of sending
   * @throws RefusedByAgent with the agent's words
   */
  ask<T>(execute: string, args?: Record<string, unknown>, within?: number): Promise<T>;
  /** Lets the port go; the next question takes one again. */
  close(): void;
}

/** The agent answered, and the answer is no. */
export class RefusedByAgent extends Error {
  override name = 'RefusedByAgent';
}

interface Reply {
  return?: unknown;
  error?: { desc: string };
}

/** The agent of the machine whose sockets are in `dir`. Nothing is opened before the first question. */
export function agentPort(dir: string): AgentPort {
  let port: Promise<LineSocket> | undefined;
  let current: LineSocket | undefined;

  const connected = async (within: number): Promise<LineSocket> => {
    if (current && !current.open) port = undefined;
    port ??= takePort(dir, within);
    const taking = port;
    try {
      current = await taking;
      return current;
    } catch (error) {
      if (port === taking) port = undefined;
      throw error;
    }
  };

  return {
    ask: async <T>(execute: string, args?: Record<string, unknown>, within = seconds(60)): Promise<T> => {
      const question = `${JSON.stringify({ execute, arguments: args })}\n`;
      const reply = (await (await connected(within)).ask(question, Boolean, within)) as Reply;
      if (reply.error) throw new RefusedByAgent(reply.error.desc);
      return reply.return as T;
    },
    close: () => {
      void port?.then((socket) => {
        socket.close();
      });
      port = undefined;
      current = undefined;
    },
  };
}

/** Long enough that a run of commands keeps its port, short enough that nobody waits for an idle process. */
const idleMs = 2000;

async function takePort(dir: string, within: number): Promise<LineSocket> {
  const taken = await until(
    `a free port of the guest agent answers in ${dir} (console: ${join(dir, 'console.log')})`,
    async (signal) => {
      for (const port of agentPorts) {
        const socket = await tryPort(dir, port);
        if (socket === 'taken') continue;
        if (signal.aborted && !(socket instanceof Error)) socket.close();
        return socket;
      }
      throw new Error('all ports are in use');
    },
    () => true,
    { within, every: 20 },
  );
  if (taken instanceof Error) throw taken;
  return taken;
}

/** An error that is returned means that waiting is of no use: there is no machine. */
async function tryPort(dir: string, port: string): Promise<LineSocket | 'taken' | Error> {
  const lock = join(dir, `${port}.lock`);
  if ((await tryLock(lock)) !== 'us') return 'taken';
  const free = (): void => {
    rmSync(lock, { force: true });
  };
  let socket: LineSocket;
  try {
    socket = await openLineSocket(dir, `${port}.sock`, { closed: free, idleMs });
  } catch (error) {
    free();
    return new Error(`The machine does not run: ${messageOf(error)}`, { cause: error });
  }
  try {
    await synchronise(socket);
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** What an earlier client left half-said or unread is dropped on both sides. */
async function synchronise(socket: LineSocket): Promise<void> {
  const id = Math.floor(Math.random() * 2 ** 31);
  const question = JSON.stringify({ execute: 'guest-sync-delimited', arguments: { id } });
  const bytes = Buffer.concat([Buffer.from([0xff]), Buffer.from(`${question}\n`)]);
  await socket.ask(bytes, (line) => (line as Reply).return === id, seconds(2));
}
