import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { attempt, CommandError, run, spawnDetached } from './command.ts';
import { isAlive, processOf } from './processes.ts';
import { temporary } from './temporary.ts';
import { until } from './until.ts';

describe('a command', () => {
  test('gets its input and gives both streams', async () => {
    const output = await run(['sh', '-c', 'cat; echo oops >&2'], { input: 'hello' });
    expect(output).toMatchObject({ stdout: 'hello', stderr: 'oops\n', code: 0 });
  });

  test('without input has an empty one, so nothing can hang on it', async () => {
    await expect(run(['cat'])).resolves.toMatchObject({ stdout: '' });
  });

  test('that fails says its status, its words and what it said', async () => {
    await expect(run(['sh', '-c', 'echo no such pod >&2; exit 3'])).rejects.toThrow(
      /^Exit status 3: sh -c .*\nno such pod$/s,
    );
  });

  test('may fail when its status is asked for', async () => {
    await expect(attempt(['sh', '-c', 'exit 3'])).resolves.toMatchObject({ code: 3 });
  });

  test('that is missing is named', async () => {
    await expect(attempt(['no-such-program-here'])).rejects.toThrow(
      /Could not be started: no-such-program-here/,
    );
  });

  test('that hangs ends at its deadline', async () => {
    await expect(run(['sleep', '60'], { within: 50 })).rejects.toThrow('Timed out after 0.05 s: sleep 60');
  });

  test('with secrets shows no words', async () => {
    const failed = await run(['sh', '-c', 'exit 1', '-', 'hunter2'], { secret: true }).catch(
      (error: unknown) => error,
    );
    expect(failed).toBeInstanceOf(CommandError);
    expect(String(failed)).not.toContain('hunter2');
  });

  test('hands on its lines as they come', async () => {
    const lines: string[] = [];
    await run(['printf', 'a\\nb\\n'], { onLine: (line) => lines.push(line) });
    expect(lines).toEqual(['a', 'b']);
  });

  test('in the background outlives the call and writes its log', async () => {
    await using dir = await temporary();
    const log = join(dir.path, 'log');
    const pid = await spawnDetached(['sh', '-c', 'echo started'], { log });
    const process = processOf(pid);
    await until(
      'it has ended',
      async () => Promise.resolve(isAlive(process)),
      (alive) => !alive,
      { within: 5000, every: 5 },
    );
    expect(await readFile(log, 'utf8')).toBe('started\n');
  });
});

describe('a command whose work is done by a process further on', () => {
  const words = ['sh', '-c', 'sh -c "sleep 86390.5; true"; true'];
  const left = async (): Promise<string> => (await attempt(['pgrep', '-f', 'sleep 86390[.]5'])).stdout;

  test('ends with all of it at its deadline', async () => {
    await expect(run(words, { within: 300, wholeTree: true })).rejects.toThrow('Timed out after 0.3 s');
    expect(await left()).toBe('');
  });

  test('ends with all of it when it is called off', async () => {
    const off = new AbortController();
    const ended = expect(run(words, { signal: off.signal, wholeTree: true })).rejects.toThrow('Called off');
    await until('it runs', left, Boolean, { within: 10_000 });
    off.abort();
    await ended;
    expect(await left()).toBe('');
  });

  test('is told of by the words that are to be shown', async () => {
    const failed = run(['sh', '-c', 'exit 1'], { shown: ['k3s-worker-1:', 'false'] });
    await expect(failed).rejects.toThrow('Exit status 1: k3s-worker-1: false');
  });

  test('gives its bytes as they are when they are no text', async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
    const { stdout } = await run(['cat'], { input: bytes, binary: true });
    expect(Uint8Array.from(Buffer.from(stdout, 'latin1'))).toEqual(bytes);
  });
});
