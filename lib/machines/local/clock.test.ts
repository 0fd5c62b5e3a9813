import { expect, test } from 'vitest';
import type { AgentPort } from './agent-port.ts';
import { clockOffset, setClock } from './clock.ts';

/** A guest whose clock is `ahead` ms ahead; a command `date` moves it, unless it is stuck. */
function guest(ahead: number, stuck = false): { agent: AgentPort; moves: string[] } {
  let offset = ahead;
  const moves: string[] = [];
  const ask = async (execute: string, args?: Record<string, unknown>): Promise<unknown> => {
    if (execute === 'guest-get-time') return (Date.now() + offset) * 1e6;
    if (execute === 'guest-exec') {
      const move = (args?.['arg'] as string[])[2] ?? '';
      moves.push(move);
      if (!stuck) offset += Number.parseFloat(move) * 1000;
      return { pid: 1 };
    }
    return Promise.resolve({ exited: true, exitcode: 0 });
  };
  return {
    agent: {
      ask: async <T>(execute: string, args?: Record<string, unknown>) => (await ask(execute, args)) as T,
      close: () => undefined,
    },
    moves,
  };
}

test('a clock that stood still is moved by what it is behind', async () => {
  const { agent, moves } = guest(-3_600_000);
  await setClock(agent, 'vm');
  expect(moves).toEqual([expect.stringMatching(/^(3600\.000\d*|3599\.9\d*) seconds$/)]);
  expect(Math.abs((await clockOffset(agent)).aheadMs)).toBeLessThan(50);
});

test('a clock that is right is left alone', async () => {
  const { agent, moves } = guest(0);
  await setClock(agent, 'vm');
  expect(moves).toEqual([]);
});

test('a clock that cannot be moved is an error', async () => {
  await expect(setClock(guest(86_400_000, true).agent, 'vm')).rejects.toThrow(
    /The clock of vm was set and is 8\d{4}\.\d{3} s ahead/,
  );
});
