import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { exists } from '#lib/base/files.ts';
import { until } from '#lib/base/until.ts';
import { agentPort, RefusedByAgent } from './agent-port.ts';
import { fakeGuest } from './fake-guest.ts';

let dir = '';
const closing: (() => void)[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ports-'));
});

afterEach(async () => {
  for (const close of closing.splice(0)) close();
  await rm(dir, { recursive: true, force: true });
});

async function port(name: string, mute = false): Promise<string[]> {
  const { asked, close } = await fakeGuest(dir, name, (execute) =>
    mute ? undefined : { return: { name, execute } },
  );
  closing.push(close);
  return asked;
}

function client(): ReturnType<typeof agentPort> {
  const agent = agentPort(dir);
  closing.push(agent.close);
  return agent;
}

test('two clients take two ports, and one that is let go can be taken again', async () => {
  await port('agent0');
  await port('agent1');
  const [first, second, third] = [client(), client(), client()];
  expect(await first.ask('a')).toEqual({ name: 'agent0', execute: 'a' });
  expect(await second.ask('b')).toEqual({ name: 'agent1', execute: 'b' });
  first.close();
  await until(
    'port is free',
    async () => Promise.resolve(exists(join(dir, 'agent0.lock'))),
    (held) => !held,
    { within: 2000, every: 5 },
  );
  expect(await third.ask('c')).toEqual({ name: 'agent0', execute: 'c' });
});

test('questions of one client take turns', async () => {
  const asked = await port('agent0');
  const agent = client();
  await Promise.all(['a', 'b', 'c'].map(async (execute) => agent.ask(execute)));
  expect(asked).toEqual(['a', 'b', 'c']);
});

test('questions that find the port closed take one together, the same as before if they can', async () => {
  await port('agent0');
  await port('agent1');
  const [first, second] = [client(), client()];
  await first.ask('a');
  expect(await second.ask('a')).toEqual({ name: 'agent1', execute: 'a' });
  first.close();
  second.close();
  await until(
    'both ports are free',
    async () => Promise.resolve(exists(join(dir, 'agent0.lock')) || exists(join(dir, 'agent1.lock'))),
    (held) => !held,
    { within: 2000, every: 5 },
  );
  const both = await Promise.all([second.ask('b'), second.ask('c')]);
  expect(both).toEqual([
    { name: 'agent1', execute: 'b' },
    { name: 'agent1', execute: 'c' },
  ]);
});

test('an answer that comes too late is not taken for the next one', async () => {
  await port('agent0', true);
  const agent = client();
  await expect(agent.ask('a', {}, 50)).rejects.toThrow('agent0.sock did not answer within 0.05 s');
  closing.splice(1, 1)[0]?.();
  closing.splice(0, 1)[0]?.();
  await rm(join(dir, 'agent0.sock'), { force: true });
  await port('agent0');
  expect(await agent.ask('b')).toEqual({ name: 'agent0', execute: 'b' });
});

test('a refusal has the words of the agent', async () => {
  const { close } = await fakeGuest(dir, 'agent0', () => ({ error: { desc: 'unsupported' } }));
  closing.push(close);
  await expect(client().ask('guest-x')).rejects.toThrow(new RefusedByAgent('unsupported'));
});

test('a machine that does not run is told at once', async () => {
  await expect(client().ask('a')).rejects.toThrow(
    `The machine does not run: Nothing answers on ${dir}/agent0.sock`,
  );
  expect(exists(join(dir, 'agent0.lock'))).toBe(false);
});

test('of a machine that was never made it is told at once that it does not run', async () => {
  const agent = agentPort(join(dir, 'nothing'));

  await expect(agent.ask('a')).rejects.toThrow(/The machine does not run: there is no .*nothing/);
});
