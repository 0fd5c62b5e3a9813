import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { attempt, type Output } from '#lib/base/command.ts';
import { temporary } from '#lib/base/temporary.ts';
import { putInPlace, shellMachine, type WayIn } from './shell-machine.ts';

/** This host as a machine. */
const here = shellMachine('here', attempt);
const saying =
  (stdout: string): WayIn =>
  async (words) =>
    Promise.resolve({ stdout, stderr: `\n${words[4] ?? ''} 0\n`, code: 0, ms: 1 });

test('a command has the environment of root, and what it is given', async () => {
  const words = ['sh', '-c', 'echo "$HOME $LANG ${A-unset} ${B-unset}"'];
  const { stdout } = await here.run(words, { env: { A: 'a b', B: undefined } });
  expect(stdout).toBe('/root C.UTF-8 a b unset\n');
});

test('what the way in says of itself is not taken for the command', async () => {
  const broken: Output = { stdout: '', stderr: 'Connection reset by peer', code: 255, ms: 1 };
  const machine = shellMachine('far', async () => Promise.resolve(broken));
  await expect(machine.attempt(['true'])).rejects.toThrow(
    'Its end was not seen, and the way to far ended with status 255: far: true\nConnection reset by peer',
  );
});

test('what is said after the end of the command is left out', async () => {
  const noisy: WayIn = async (words) =>
    Promise.resolve({
      stdout: '',
      stderr: `why\n${words[4] ?? ''} 7\nConnection closed.\n`,
      code: 255,
      ms: 1,
    });
  expect(await shellMachine('far', noisy).attempt(['true'])).toMatchObject({ code: 7, stderr: 'why' });
});

test('the line of the end is not handed on with the others', async () => {
  const lines: string[] = [];
  await here.run(['sh', '-c', 'echo out; echo err >&2'], { onLine: (line) => lines.push(line) });
  expect(lines.filter(Boolean).toSorted()).toEqual(['err', 'out']);
});

test('a command that was ended from inside ran out of time, also when its answer comes first', async () => {
  // a way in with a deadline of its own that is later
  const patient: WayIn = async (words, options) => attempt(words, { ...options, within: 30_000 });
  const late = shellMachine('far', patient).run(['sleep', '29'], { within: 300 });
  await expect(late).rejects.toThrow('Timed out after 0.3 s: far: sleep 29');
});

test('secrets are in no message', async () => {
  const failed = here.run(['sh', '-c', 'exit 1', 'hunter2'], { secret: true });
  await expect(failed).rejects.toThrow(/^Exit status 1: here: sh \(arguments withheld\)$/);
});

test('a file is there as a whole or not at all', async () => {
  await using folder = await temporary();
  const path = join(folder.path, 'a folder/file');
  await here.write(path, 'sécond', { mode: 0o640 });
  expect(await here.read(path)).toBe('sécond');
  expect(await here.read(path, 5)).toBe('nd');
  expect((await stat(path)).mode & 0o777).toBe(0o640);
  const draft = join(folder.path, 'draft');
  await writeFile(draft, 'half');
  await expect(putInPlace(here, draft, path, 8, {})).rejects.toThrow(
    `Exit status 1: here: write ${path}\nonly 4 of 8 bytes of ${path} arrived`,
  );
  expect(await readFile(path, 'utf8')).toBe('sécond');
});

test('addresses of bridges and containers are not its own', async () => {
  const said = [
    '2: ens3    inet 10.9.8.7/24 metric 100 brd 10.9.8.255 scope global dynamic ens3\\ valid_lft 3000sec',
    '3: cni0    inet 10.42.0.1/24 brd 10.42.0.255 scope global cni0\\ valid_lft forever',
    '4: docker0    inet 172.17.0.1/16 scope global docker0\\ valid_lft forever',
  ].join('\n');
  expect(await shellMachine('far', saying(`${said}\n`)).addresses()).toEqual(['10.9.8.7']);
});
