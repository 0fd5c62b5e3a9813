import { ours } from '#lib/base/deadlines.ts';
import { openLineSocket } from './line-socket.ts';

/** QEMU's own control line. */
export interface Qmp {
  /** @throws Error with QEMU's words when it refuses */
  ask<T>(execute: string, args?: Record<string, unknown>): Promise<T>;
  close(): void;
}

interface Reply {
  return?: unknown;
  error?: { desc: string };
}

/** Connects to `qmp.sock` in a machine's folder. */
export async function openQmp(dir: string): Promise<Qmp> {
  const socket = await openLineSocket(dir, 'qmp.sock');
  const ask = async <T>(execute: string, args?: Record<string, unknown>): Promise<T> => {
    const question = JSON.stringify({ execute, arguments: args });
    // lines without either are events and the greeting
    const isReply = (line: unknown): boolean => {
      const { return: answer, error } = line as Reply;
      return answer !== undefined || error !== undefined;
    };
    const reply = (await socket.ask(`${question}\n`, isReply, ours.qemuAnswers)) as Reply;
    if (reply.error) throw new Error(`QEMU refused ${execute} (${dir}): ${reply.error.desc}`);
    return reply.return as T;
  };
  await ask('qmp_capabilities');
  return { ask, close: socket.close };
}
