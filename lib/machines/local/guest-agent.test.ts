import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { until } from '#lib/base/until.ts';
import { agentPort, type AgentPort } from './agent-port.ts';
import { fakeGuest } from './fake-guest.ts';
import { guestAttempt } from './guest-agent.ts';

let dir = '';
const closing: (() => void)[] = [];

beforeEach(async () => {
  // a unix socket's path may have 107 bytes; this has more
  dir = await mkdtemp(join(tmpdir(), `${'x'.repeat(110)}-`));
});

afterEach(async () => {
  for (const close of closing.splice(0)) close();
  await rm(dir, { recursive: true, force: true });
});

type Started = Record<string, unknown>;

/** A guest in which a command ends as `end` says, at the second look; what is undefined never ends. */
async function guest(
  end: (started: Started) => object | undefined,
): Promise<[AgentPort, Started[], string[]]> {
  const started: Started[] = [];
  const looks: number[] = [];
  const { asked, close } = await fakeGuest(dir, 'agent0', (execute, args) => {
    if (args['path'] === 'missing') return { error: { desc: 'No such file or directory' } };
    if (execute === 'guest-exec') return { return: { pid: started.push(args) - 1 } };
    const pid = Number(args['pid']);
    looks[pid] = (looks[pid] ?? 0) + 1;
    const ended = looks[pid] > 1 ? end(started[pid] ?? {}) : undefined;
    return { return: { exited: ended !== undefined, ...ended } };
  });
  const agent = agentPort(dir);
  closing.push(agent.close, close);
  return [agent, started, asked];
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

test('a command gives what it said and its exit status', async () => {
  const [agent, started] = await guest(() => ({
    exitcode: 3,
    'out-data': base64('Grüße\n'),
    'err-data': base64('no\n'),
  }));
  const lines: string[] = [];
  const output = await guestAttempt(agent, 'vm', ['ls', '-l'], {
    input: 'in',
    env: { A: 'ü', HOME: undefined },
    onLine: (line) => lines.push(line),
  });
  expect(output).toMatchObject({ stdout: 'Grüße\n', stderr: 'no\n', code: 3 });
  expect(lines).toEqual(['Grüße', 'no']);
  expect(started[0]).toMatchObject({ path: 'ls', arg: ['-l'], 'input-data': base64('in') });
  expect(started[0]?.['env']).toContain('A=ü');
  expect(String(started[0]?.['env'])).not.toContain('HOME=');
});

test('a folder to work in is entered by env', async () => {
  const [agent, started] = await guest(() => ({ exitcode: 0 }));
  await guestAttempt(agent, 'vm', ['ls'], { cwd: '/var/log' });
  expect(started[0]).toMatchObject({ path: 'env', arg: ['-C', '/var/log', 'ls'] });
});

test('a slow command does not hold up a quick one', async () => {
  let slowMayEnd = false;
  const [agent] = await guest(({ path }) => (path === 'slow' && !slowMayEnd ? undefined : { exitcode: 0 }));
  const order: string[] = [];
  const slow = guestAttempt(agent, 'vm', ['slow']).then(() => order.push('slow'));
  await guestAttempt(agent, 'vm', ['quick']).then(() => order.push('quick'));
  slowMayEnd = true;
  await slow;
  expect(order).toEqual(['quick', 'slow']);
});

test('a missing program, a signal and too much output have names', async () => {
  const [agent] = await guest(({ path }) =>
    path === 'killed'
      ? { signal: 9 }
      : { exitcode: 0, 'out-truncated': true, 'out-data': base64('x'.repeat(9000)) },
  );
  await expect(guestAttempt(agent, 'vm', ['missing'])).rejects.toThrow(
    'Could not be started: vm: missing\nNo such file or directory',
  );
  await expect(guestAttempt(agent, 'vm', ['killed'])).rejects.toThrow('Ended by signal 9: vm: killed');
  const tooMuch = await guestAttempt(agent, 'vm', ['cat']).catch((error: unknown) => String(error));
  expect(tooMuch).toMatch(/^CommandError: Said more than 16 MiB.*vm: cat$/);
});

test('a command that does not end in time is ended, and its secret arguments are not told', async () => {
  const [agent, started] = await guest(({ path }) => (path === 'login' ? undefined : { exitcode: 0 }));
  const late = guestAttempt(agent, 'vm', ['login', 'pa55word'], { within: 600, secret: true });
  await expect(late).rejects.toThrow('Timed out after 0.6 s: vm: login (arguments withheld)');
  expect(started[1]).toMatchObject({
    path: 'sh',
    arg: ['-c', expect.stringContaining('kill -KILL'), '-', '0'],
  });
});

test('a command that is called off is ended; one that was before is not started', async () => {
  const [agent, started] = await guest(({ path }) => (path === 'sh' ? { exitcode: 0 } : undefined));
  await expect(guestAttempt(agent, 'vm', ['a'], { signal: AbortSignal.abort() })).rejects.toThrow(
    'Called off: vm: a',
  );
  expect(started).toEqual([]);
  await expect(guestAttempt(agent, 'vm', ['b'], { signal: AbortSignal.timeout(30) })).rejects.toThrow(
    'Called off: vm: b',
  );
  expect(started.map(({ path }) => path)).toEqual(['b', 'sh']);
});

test('a command of a machine that was started anew is not waited for', async () => {
  const { close } = await fakeGuest(dir, 'agent0', (execute) =>
    execute === 'guest-exec' ? { return: { pid: 7 } } : { error: { desc: "Invalid parameter 'pid'" } },
  );
  const agent = agentPort(dir);
  closing.push(agent.close, close);
  await expect(guestAttempt(agent, 'vm', ['x'])).rejects.toThrow(
    'Its end was not seen, as the agent was started anew meanwhile: vm: x',
  );
});

test('a command of a machine that is switched off is not waited for', async () => {
  const { asked, close } = await fakeGuest(dir, 'agent0', (execute) =>
    execute === 'guest-exec' ? { return: { pid: 7 } } : { return: { exited: false } },
  );
  const agent = agentPort(dir);
  closing.push(agent.close);
  const command = guestAttempt(agent, 'vm', ['x']);
  const off = until(
    'it is asked for',
    async () => Promise.resolve(asked),
    ({ length }) => length > 1,
    {
      within: 2000,
      every: 5,
    },
  ).then(close);
  await expect(command).rejects.toThrow('as the machine was switched off meanwhile: vm: x');
  await off;
});
