import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CommandError } from '#lib/base/command.ts';
import { ours } from '#lib/base/deadlines.ts';
import { RefusedError } from '#lib/base/errors.ts';
import { sha256File } from '#lib/base/files.ts';
import { say, step } from '#lib/base/progress.ts';
import { temporary } from '#lib/base/temporary.ts';
import { seconds, until } from '#lib/base/until.ts';
import type { Machine } from '#lib/machines/machine.ts';
import type { ContractMachine } from './subject.ts';
import { subject } from './subjects.ts';

/*
 * What every provider's machines promise: `npm run contract -- <provider>`. The order counts: a machine is launched
 * once, looked at from all sides, restarted, stopped and removed.
 */
const { provider, machines, two, lacks, close } = await subject();
const megabyte = 1024 * 1024;
// a lab stands as long as the process that opened it, which must not outlive the run that it is a part of
process.once('disconnect', () => process.exit(1));

const launch = async ({ spec }: ContractMachine): Promise<Machine> =>
  step(`${provider.name}: launching ${spec.name}`, { quiet: true }, async (note) =>
    provider.launch({ ...spec, firstBoot }, { note }),
  );
const firstBoot = {
  files: [
    {
      path: '/var/lib/contract/first boot',
      content: 'tänk "$HOME" \\n\n',
      mode: 0o640,
      owner: 'root:daemon',
    },
  ],
  commands: ['cat "/var/lib/contract/first boot" >/var/lib/contract/copy', 'id -u >>/var/lib/contract/copy'],
};
const slow = ours.contractStep.mostMs;

beforeAll(() => {
  for (const [ability, why] of Object.entries(lacks)) say(`not-applicable: ${ability} (${why})`);
});

afterAll(async () => {
  await close();
}, slow);

describe.each(machines)('$kind', (one) => {
  const { name, size } = one.spec;
  const machine = provider.machine(name);
  const shell = async (script: string, ...words: string[]): Promise<string> =>
    (await machine.run(['sh', '-c', script, '-', ...words])).stdout;

  test('it is not listed before it is launched, and nobody answers for it', async () => {
    expect(await provider.list()).not.toContain(name);
    if (!lacks.absence) await expect(machine.run(['true'])).rejects.toThrow(name);
  });

  test(
    'a launch gives a machine that has been through its first boot',
    async () => {
      await launch(one);
      expect(await provider.list()).toContain(name);
      expect(await shell('cat /var/lib/contract/copy')).toBe('tänk "$HOME" \\n\n0\n');
      expect(await shell('stat -c "%a %U:%G" "/var/lib/contract/first boot"')).toBe('640 root:daemon\n');
    },
    slow,
  );

  test.skipIf(lacks['host names'])('its name is its host name', async () => {
    expect(await shell('uname -n')).toBe(`${name}\n`);
  });

  test('a second machine of that name is refused, and the first is as it was', async () => {
    await expect(launch(one)).rejects.toThrow(RefusedError);
    await expect(launch(one)).rejects.toThrow(name);
    expect(await shell('cat /var/lib/contract/copy')).toContain('0');
  });

  test.skipIf(one.measures.length === 0)('it has the size that was asked for', async () => {
    const seen = await machine.size();
    // the kernel keeps some of the memory, the file system some of the disk
    const share = { cpus: 1, memoryMiB: 0.85, diskGiB: 0.85 };
    for (const what of one.measures) {
      expect(seen[what], what).toBeGreaterThanOrEqual(size[what] * share[what]);
      expect(seen[what], what).toBeLessThanOrEqual(size[what]);
    }
  });

  test('commands are run as root, with the words that were given', async () => {
    const odd = [
      '',
      ' ',
      'two words',
      "o'clock",
      '"',
      '$HOME',
      '`id`',
      '\\',
      'a\nb',
      '*',
      '-n',
      'ü',
      ';',
      '&',
      '>x',
    ];
    expect(await shell('for word; do printf "%s|" "$word"; done; id -u', ...odd)).toBe(
      `${odd.join('|')}|0\n`,
    );
  });

  test('a command gets its input, or an end of input at once', async () => {
    expect((await machine.run(['cat'], { input: 'hello' })).stdout).toBe('hello');
    expect((await machine.run(['cat'], { within: ours.machineAnswers })).stdout).toBe('');
    // nobody reads it
    expect((await machine.run(['true'], { input: 'x'.repeat(megabyte) })).code).toBe(0);
  });

  test('both streams come back, apart', async () => {
    const said = await machine.run(['sh', '-c', 'echo out; echo err >&2']);
    expect(said).toMatchObject({ stdout: 'out\n', stderr: 'err\n', code: 0 });
  });

  test('folder and environment are as told', async () => {
    const script = 'pwd; echo "$A-${B-unset}"';
    const said = await machine.run(['sh', '-c', script], {
      cwd: '/var/lib',
      env: { A: "o'$x y", B: undefined },
    });
    expect(said.stdout).toBe("/var/lib\no'$x y-unset\n");
  });

  // 1, 2 and 255 are what the ways into a machine say of their own failures
  test.each([0, 1, 2, 3, 126, 254, 255])('exit status %i is told as it is', async (code) => {
    const words = ['sh', '-c', `echo said; echo why >&2; exit ${String(code)}`];
    expect(await machine.attempt(words)).toMatchObject({ code, stdout: 'said\n', stderr: 'why\n' });
    if (code === 0) return;
    const failed = await machine.run(words).catch((error: unknown) => error);
    expect(failed).toBeInstanceOf(CommandError);
    expect(failed).toMatchObject({ output: { code } });
    expect(String(failed)).toContain('why');
  });

  test(
    'five megabytes go in and come out, every byte of them',
    async () => {
      const bytes = randomBytes(5 * megabyte);
      const { stdout } = await machine.run(['cat'], { input: bytes, binary: true, within: ours.fileArrives });
      expect(hash(Buffer.from(stdout, 'latin1'))).toBe(hash(bytes));
    },
    slow,
  );

  test('many commands at once do not mix', async () => {
    const all = Array.from({ length: 8 }, (_, i) => `answer ${String(i)}`);
    const said = await Promise.all(
      all.map(async (text) => shell('sleep 0.2; cat - >/dev/null; echo "$1"', text)),
    );
    expect(said).toEqual(all.map((text) => `${text}\n`));
  });

  test('a command that takes too long is ended, in the machine too', async () => {
    await expect(machine.run(['sleep', '86399.5'], { within: seconds(3) })).rejects.toThrow(
      'Timed out after 3 s',
    );
    expect(await untilGone('86399[.]5')).toBe('');
  });

  test('a command that is called off is ended, in the machine too', async () => {
    const off = new AbortController();
    const going = machine.run(['sh', '-c', 'sleep 86398.5; true'], { signal: off.signal });
    const ended = expect(going).rejects.toThrow('Called off');
    await until('it runs', async () => running('86398[.]5'), Boolean, { within: ours.command });
    off.abort();
    await ended;
    expect(await untilGone('86398[.]5')).toBe('');
  });

  test('a file has the content, mode and owner that were given, and folders are made', async () => {
    const path = '/var/lib/contract/a folder/to.ken';
    await machine.write(path, 'first');
    expect(await shell('stat -c "%a %U:%G" "$1"', path)).toBe('644 root:root\n');
    await machine.write(path, new Uint8Array([0, 255, 10, 0]), { mode: 0o600, owner: 'daemon' });
    expect(await shell('stat -c "%a %U" "$1"; od -An -tx1 "$1"', path)).toBe('600 daemon\n 00 ff 0a 00\n');
    await machine.write(path, 'tänk\n', { mode: 0o755, owner: 'daemon:bin' });
    expect(await shell('stat -c "%a %U:%G" "$1"', path)).toBe('755 daemon:bin\n');
    expect(await machine.read(path)).toBe('tänk\n');
    expect(await machine.read(path, 3)).toBe('nk\n');
    expect(await shell('ls -A "/var/lib/contract/a folder"')).toBe('to.ken\n');
    await expect(machine.write('/var/lib/contract/copy/below', '')).rejects.toThrow(name);
    await expect(machine.read('/var/lib/contract/none')).rejects.toThrow('/var/lib/contract/none');
  });

  test(
    'a big file arrives whole, with its mode and owner',
    async () => {
      await using folder = await temporary();
      const local = join(folder.path, 'big');
      await writeFile(local, randomBytes(100 * megabyte));
      const path = '/var/lib/contract/big';
      await step(`uploading 100 MB to ${name}`, { quiet: true }, async () =>
        machine.upload(local, path, { mode: 0o640, owner: 'daemon:bin' }),
      );
      const { stdout } = await machine.run(['sha256sum', path], { within: ours.fileArrives });
      expect(stdout).toBe(`${await sha256File(local)}  ${path}\n`);
      expect(await shell('stat -c "%a %U:%G %s" "$1"; rm "$1"', path)).toBe('640 daemon:bin 104857600\n');
    },
    slow,
  );

  test.skipIf(lacks.restart)(
    'after a restart it is the same machine, with nothing running of what ran, at an address that answers',
    async () => {
      await shell(
        'sync; echo kept >/var/lib/contract/kept; touch /run/passing; setsid sleep 86397.5 >/dev/null 2>&1 &',
      );
      await step(`restarting ${name}`, { quiet: true }, async () => machine.restart());
      expect(await shell('cat /var/lib/contract/kept; ls /run/passing 2>/dev/null || echo gone')).toBe(
        'kept\ngone\n',
      );
      expect(await running('86397[.]5')).toBe('');
      expect(await provider.list()).toContain(name);
      const address = await machine.address();
      expect(address).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
      expect((await shell('ip -4 -o address')).includes(`inet ${address}/`), address).toBe(true);
    },
    slow,
  );

  test.skipIf(lacks.power)(
    'stopped it does nothing, and started it is back',
    async () => {
      await step(`stopping and starting ${name}`, { quiet: true }, async () => {
        await machine.stop();
        await expect(machine.run(['true'], { within: ours.machineAnswers })).rejects.toThrow(name);
        expect(await provider.list()).toContain(name);
        await machine.start();
      });
      expect(await shell('cat /var/lib/contract/copy')).toContain('0');
    },
    slow,
  );

  test(
    'removed it is gone, and removing it again is no error',
    async () => {
      // what commands have made nobody can know of
      await shell('cd /var/lib/contract && rm -f copy kept');
      await provider.remove(name);
      expect(await provider.list()).not.toContain(name);
      if (lacks.absence) expect(await shell('ls -d /var/lib/contract || echo none')).toBe('none\n');
      else await expect(machine.run(['true'], { within: ours.machineAnswers })).rejects.toThrow(name);
      await provider.remove(name);
    },
    slow,
  );

  test.skipIf(lacks['being called off'])(
    'a launch that is called off half-way leaves nothing, and the name is free',
    async () => {
      const off = new AbortController();
      const noted: string[] = [];
      const going = provider.launch(
        { ...one.spec, firstBoot: { commands: ['sleep 86396.5'] } },
        { signal: off.signal, note: (text) => noted.push(text) },
      );
      const ended = expect(going).rejects.toThrow();
      await until('it has begun', async () => Promise.resolve(noted.length), Boolean, {
        within: ours.contractStep,
      });
      off.abort();
      await ended;
      expect(await provider.list()).not.toContain(name);
      await launch(one);
      await provider.remove(name);
      expect(await provider.list()).not.toContain(name);
    },
    slow,
  );

  /** The processes with this in their words, if any. */
  async function running(words: string): Promise<string> {
    return (await machine.attempt(['pgrep', '-f', words])).stdout;
  }
  async function untilGone(words: string): Promise<string> {
    return until(
      'nothing of it is left',
      async () => running(words),
      (left) => left === '',
      { within: ours.command },
    );
  }
});

test.skipIf(two === undefined || lacks['two machines'])(
  'two at once stand side by side and reach each other',
  async () => {
    if (two === undefined) return;
    const [first, second] = (await Promise.all(two.map(launch))) as [Machine, Machine];
    expect(await provider.list()).toEqual(expect.arrayContaining([first.name, second.name]));
    const [here, there] = await Promise.all([first.address(), second.address()]);
    expect(here).not.toBe(there);
    await second.write('/srv/who', `this is ${second.name}`);
    await second.run([
      'sh',
      '-c',
      'cd /srv && setsid -f python3 -m http.server 8123 >/dev/null 2>&1 </dev/null',
    ]);
    const answer = await until(
      `${second.name} answers ${first.name}`,
      async () => first.run(['curl', '-sS', '--max-time', '5', `http://${there}:8123/who`]),
      ({ stdout }) => stdout !== '',
      { within: ours.command, every: 500 },
    );
    expect(answer.stdout).toBe(`this is ${second.name}`);
    await Promise.all([first, second].map(async (one) => provider.remove(one.name)));
    expect(await provider.list()).toEqual([]);
  },
  slow,
);

const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
