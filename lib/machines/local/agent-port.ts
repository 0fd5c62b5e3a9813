import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Within } from '#lib/base/deadline.ts';
import { ours } from '#lib/base/deadlines.ts';
import { messageOf } from '#lib/base/errors.ts';
import { exists } from '#lib/base/files.ts';
import { tryLock } from '#lib/base/lock.ts';
import { until } from '#lib/base/until.ts';
import { openLineSocket, type LineSocket } from './line-socket.ts';
import { agentPorts } from './qemu.ts';

/** Asks the guest agent one thing at a time, over a port that this process has for itself as long as it is busy. */
export interface AgentPort {
  /**
   * @param within deadline, from the moment of sending
   * @throws RefusedByAgent with the agent's words, NotRunning when the machine is off
   */
  ask<T>(execute: string, args?: Record<string, unknown>, within?: Within): Promise<T>;
  /** Lets the port go; the next question takes one again. */
  close(): void;
}

/** The agent answered, and the answer is no. */
export class RefusedByAgent extends Error {
  override name = 'RefusedByAgent';
}

/** Waiting is of no use: there is nobody to ask. */
export class NotRunning extends Error {
  override name = 'NotRunning';
}

interface Reply {
  return?: unknown;
  error?: { desc: string };
}

/** The agent of the machine whose sockets are in `dir`. Nothing is opened before the first question. */
export function agentPort(dir: string): AgentPort {
  let port: Promise<LineSocket> | undefined;
  // each port has an agent of its own, and only the one that started a command knows how it ended
  let names: readonly string[] = agentPorts;

  const connected = async (within: Within): Promise<LineSocket> => {
    const known = port;
    const socket = await known?.catch(() => undefined);
    if (socket?.open) return socket;
    // whoever waited beside us may have taken one already
    if (port === known || port === undefined) {
      port = takePort(dir, names, within).then(({ name, socket: taken }) => {
        names = [name, ...agentPorts.filter((other) => other !== name)];
        return taken;
      });
    }
    return port;
  };

  return {
    ask: async <T>(
      execute: string,
      args?: Record<string, unknown>,
      within: Within = ours.command,
    ): Promise<T> => {
      const question = `${JSON.stringify({ execute, arguments: args })}\n`;
      const reply = (await (await connected(within)).ask(question, Boolean, within)) as Reply;
      if (reply.error) throw new RefusedByAgent(reply.error.desc);
      return reply.return as T;
    },
    close: () => {
      port?.then(
        (socket) => {
          socket.close();
        },
        () => undefined,
      );
      port = undefined;
    },
  };
}

/** Long enough that a run of commands keeps its port, short enough that nobody waits for an idle process. */
const idleMs = 2000;

/** Takes the first of the named ports that nobody has. */
async function takePort(
  dir: string,
  names: readonly string[],
  within: Within,
): Promise<{ name: string; socket: LineSocket }> {
  const taken = await until(
    `a free port of the guest agent answers in ${dir} (console: ${join(dir, 'console.log')})`,
    async (signal) => {
      for (const name of names) {
        const socket = await tryPort(dir, name);
        if (socket === 'taken') continue;
        if (socket instanceof NotRunning) return socket;
        if (signal.aborted) socket.close();
        return { name, socket };
      }
      throw new Error('all ports are in use');
    },
    () => true,
    { within, every: 20 },
  );
  if (taken instanceof NotRunning) throw taken;
  return taken;
}

async function tryPort(dir: string, port: string): Promise<LineSocket | 'taken' | NotRunning> {
  if (!exists(dir)) return new NotRunning(`The machine does not run: there is no ${dir}.`);
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
    return new NotRunning(`The machine does not run: ${messageOf(error)}`, { cause: error });
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
  // QEMU keeps the question for an agent that is about to start, so patience costs nothing
  await socket.ask(bytes, (line) => (line as Reply).return === id, ours.agentAnswers);
}
