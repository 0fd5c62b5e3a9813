import { chmod, copyFile, mkdir, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { attempt, type Output, type Run } from '#lib/base/command.ts';
import { RefusedError } from '#lib/base/errors.ts';
import { temporary } from '#lib/base/temporary.ts';
import { borrowedMachine } from './machine.ts';
import { existingProvider } from './provider.ts';
import { existingSettings } from './settings.ts';
import { quoted, socketFolder, ssh, type Ssh } from './ssh.ts';

const target = { user: 'ubuntu', host: 'vm.example', port: 2222 };
/** This host as somebody else's machine. */
const here: Ssh = {
  target,
  connect: async () => Promise.resolve(),
  exec: attempt,
  copy: async (from, to) => copyFile(from, to),
  disconnect: async () => Promise.resolve(),
};

describe('settings', () => {
  test('name machines, with the port of ssh unless told', () => {
    expect(existingSettings({ EXISTING_VM: 'root@10.0.0.5, ubuntu@vm.example:2222' }).vms).toEqual([
      { user: 'root', host: '10.0.0.5', port: 22 },
      target,
    ]);
    expect(existingSettings({})).toEqual({
      vms: [],
      yes: false,
      mesh: 'refuse',
      key: undefined,
      knownHosts: undefined,
      kubeconfig: undefined,
      context: undefined,
      bystander: 'none',
    });
  });

  test.each([
    'vm.example',
    '-oProxyCommand=x@y',
    'root@-oProxyCommand=x',
    'root@vm:0',
    'root@vm:99999',
    'a b@c',
  ])('refuse "%s" for a machine', (text) => {
    expect(() => existingSettings({ EXISTING_VM: text })).toThrow(
      new RefusedError(`EXISTING_VM must be user@host or user@host:port, got "${text}".`),
    );
  });

  test('refuse files that are not there, keys that others may read, and words that mean nothing', async () => {
    await using folder = await temporary();
    const key = join(folder.path, 'key');
    expect(() => existingSettings({ EXISTING_KEY: key })).toThrow(
      `EXISTING_KEY names ${key}, and there is no such file.`,
    );
    await writeFile(key, '');
    await chmod(key, 0o644);
    expect(() => existingSettings({ EXISTING_KEY: key })).toThrow(`which others may read: chmod 600 ${key}`);
    expect(() => existingSettings({ EXISTING_YES: 'sure' })).toThrow(
      'EXISTING_YES must be one of yes, no; got "sure".',
    );
    expect(() => existingSettings({ EXISTING_MESH: 'mend' })).toThrow(
      'EXISTING_MESH must be one of refuse, use',
    );
  });
});

describe('ssh', () => {
  test.each(['', ' ', "o'clock", '$HOME', 'a\nb', '*', '-n', '~', 'ü', '#', '\\'])(
    '%j stays one word',
    async (word) => {
      const { stdout } = await attempt(['sh', '-c', `printf %s ${quoted(word)}`]);
      expect(stdout).toBe(word);
    },
  );

  test('has its socket where its path is not too long for one, also on macOS', () => {
    expect(socketFolder('/tmp')).toMatch(/^\/tmp\/istio-vm-conformance-ssh-\d+$/);
    const ofMac = '/var/folders/zz/zyxvpxvq6csfxvn_n0000000000000/T';
    expect(socketFolder(ofMac)).toBe(socketFolder('/tmp'));
    for (const folder of [socketFolder('/tmp'), socketFolder(ofMac), socketFolder('/a/short/one')])
      expect(`${folder}/${'c'.repeat(40)}.${'r'.repeat(16)}`.length).toBeLessThan(104);
  });

  test('checks host keys, asks for nothing, and becomes root by sudo', async () => {
    const asked: string[][] = [];
    const run: Run = async (words) => {
      asked.push([...words]);
      return Promise.resolve(saying(''));
    };
    await ssh(target, { key: '/key', knownHosts: '/known' }, run).exec(['cat', "it's"]);
    const words = asked.at(-1) ?? [];
    expect(words).toEqual(
      expect.arrayContaining(['StrictHostKeyChecking=yes', 'BatchMode=yes', 'UserKnownHostsFile=/known']),
    );
    expect(words.slice(-7)).toEqual([
      '-p',
      '2222',
      '-l',
      'ubuntu',
      'vm.example',
      '--',
      String.raw`sudo -n -- cat 'it'\''s'`,
    ]);
    await ssh({ ...target, user: 'root' }, {}, run).exec(['true']);
    expect(asked.at(-1)?.at(-1)).toBe('true');
  });

  test.each([
    [
      'Host key verification failed.',
      /its host key is not known: compare it, and add it to .*ssh-keyscan -p 2222 vm.example/,
    ],
    [
      'ubuntu@vm.example: Permission denied (publickey).',
      /does not take the key \/key: put the public key into ~ubuntu/,
    ],
    [
      'ssh: connect to host vm.example port 2222: Connection refused',
      /nobody answers there: does its sshd run/,
    ],
    ['ssh: Could not resolve hostname vm.example: Name or service not known', /there is no such host/],
    ['something new', /ssh could not connect\. ssh said: something new/],
  ])('that says "%s" is refused with the way out', async (said, way) => {
    const run: Run = async (words) => {
      if (words[0] !== 'sh') return Promise.resolve({ ...saying(''), code: 255 });
      await writeFile(words[3] ?? '', `${said}\n`);
      return { ...saying(''), code: 255 };
    };
    const failed = await ssh(target, { key: '/key' }, run)
      .connect()
      .catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(RefusedError);
    expect(String(failed)).toMatch(way);
    expect(String(failed)).toContain('ubuntu@vm.example:2222');
  });
});

describe('a machine that is given back', () => {
  test('has its files as they were, and none that were made', async () => {
    await using folder = await temporary();
    const at = (...parts: string[]): string => join(folder.path, ...parts);
    await mkdir(at('etc'));
    await writeFile(at('etc/hosts'), 'theirs', { mode: 0o640 });
    await symlink('hosts', at('etc/link'));
    await writeFile(at('package'), 'p'.repeat(1000));
    const machine = borrowedMachine(here, 'vm', at('state'));
    await machine.write(at('etc/hosts'), 'ours');
    await machine.write(at('etc/hosts'), 'ours again', { mode: 0o600 });
    await machine.write(at('etc/link'), 'a file now');
    await machine.write(at('a folder/below/made'), 'ours');
    await machine.upload(at('package'), at('a folder/package'), { mode: 0o600 });
    await writeFile(at('a folder/somebody else'), 'stays');
    expect(await readFile(at('etc/hosts'), 'utf8')).toBe('ours again');
    expect((await stat(at('a folder/package'))).size).toBe(1000);

    await machine.giveBack();
    expect(await readFile(at('etc/hosts'), 'utf8')).toBe('theirs');
    expect((await stat(at('etc/hosts'))).mode & 0o777).toBe(0o640);
    expect(await readFile(at('etc/link'), 'utf8')).toBe('theirs');
    expect(await readdir(at('a folder'))).toEqual(['somebody else']);
    expect((await readdir(folder.path)).toSorted()).toEqual(['a folder', 'etc', 'package']);
    await machine.giveBack();
  });

  test('has what was changed by other means than writing as it was, whole folders included', async () => {
    await using folder = await temporary();
    const at = (...parts: string[]): string => join(folder.path, ...parts);
    await mkdir(at('certs'));
    await writeFile(at('certs/theirs'), 'theirs', { mode: 0o600 });
    await writeFile(at('hosts'), 'theirs');
    await symlink('hosts', at('link'));
    const machine = borrowedMachine(here, 'vm', at('state'));
    const none = { packages: [], users: [], units: [] };
    await machine.lend({ ...none, paths: [at('certs'), at('hosts'), at('link'), at('istio')] });
    await machine.run([
      'sh',
      '-c',
      'cd "$1"; mkdir -p istio/config; rm certs/theirs link; echo ours | tee certs/ours hosts istio/one',
      '-',
      folder.path,
    ]);
    // what is lent again is kept as it was at first
    await machine.lend({ ...none, paths: [at('hosts')] });

    await machine.giveBack();
    expect((await readdir(folder.path)).toSorted()).toEqual(['certs', 'hosts', 'link']);
    expect(await readdir(at('certs'))).toEqual(['theirs']);
    expect((await stat(at('certs/theirs'))).mode & 0o777).toBe(0o600);
    expect(await readFile(at('link'), 'utf8')).toBe('theirs');
  });

  test('is never switched off', async () => {
    await expect(borrowedMachine(here, 'vm').stop()).rejects.toThrow("not this harness's to switch off");
  });
});

describe('a provider of machines that exist', () => {
  const settings = existingSettings({ EXISTING_VM: 'ubuntu@vm.example:2222', EXISTING_MESH: 'use' });
  const provider = existingProvider({ lab: 'mine', settings, names: ['vm'] });
  const spec = { name: 'vm', size: { cpus: 1, memoryMiB: 1024, diskGiB: 4 } };

  test('says what it would do, and does nothing until that is agreed to', async () => {
    const failed = await provider.launch(spec).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(RefusedError);
    expect(String(failed)).toMatch(
      /This would be done:\n {2}ubuntu@vm\.example:2222 \(vm\): files are written; .*EXISTING_YES=yes/s,
    );
  });

  test('has no machine that the settings do not name', async () => {
    await expect(provider.launch({ ...spec, name: 'other' })).rejects.toThrow(
      'EXISTING_VM names no machine for other; it has vm (vm.example).',
    );
  });
});

const saying = (stdout: string): Output => ({ stdout, stderr: '', code: 0, ms: 1 });
