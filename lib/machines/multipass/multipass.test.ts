import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { attempt, run, type Run } from '#lib/base/command.ts';
import { exists } from '#lib/base/files.ts';
import { RefusedError } from '#lib/base/errors.ts';
import { until } from '#lib/base/until.ts';
import type { MachineProvider } from '#lib/machines/provider.ts';
import { multipass, type Multipass } from './cli.ts';
import { nodePlans } from '#lib/machines/topology.ts';
import { multipassMachine } from './machine.ts';
import { multipassNode } from './node.ts';
import { multipassProvider, removingAll } from './provider.ts';
import { runningInstances } from './running.ts';
import { multipassVm, vmFirstBoot } from './vm.ts';
import { folders } from './stand-in/folders.ts';
import { clientFolder, standIn, type StandIn } from './stand-in/service.ts';

vi.setConfig({ testTimeout: 60_000 });

let dir = '';
let service: StandIn;
let cli: Multipass;
let provider: MachineProvider;

/** The `multipass` that the stand-in puts on PATH. */
const onPath: Run = async (words, options = {}) =>
  attempt(words, {
    ...options,
    env: { ...options.env, ...service.env, PATH: `${clientFolder}:${process.env['PATH'] ?? ''}` },
  });
const size = { cpus: 2, memoryMiB: 1024, diskGiB: 5 };
const spec = { name: 'worker', size };
const of = (name: string, patience = 20_000): MachineProvider =>
  multipassProvider({ lab: { name, dir: join(dir, name) }, multipass: cli, patience });

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'multipass-'));
  service = await standIn(dir, folders(join(dir, 'instances')));
  cli = multipass(onPath);
  provider = of('conformance');
});

afterEach(async () => {
  await service.close();
  await rm(dir, { recursive: true, force: true });
});

describe('a machine', () => {
  test('is launched with its size and its first boot, listed, and removed', async () => {
    const firstBoot = {
      files: [{ path: '/srv/who', content: 'tänk\n', mode: 0o600 }],
      commands: ['cp /srv/who /srv/copy'],
    };
    const machine = await provider.launch({ ...spec, firstBoot });
    expect(service.asked).toContainEqual(
      expect.arrayContaining([
        'launch',
        '24.04',
        '--name',
        'worker',
        '--cpus',
        '2',
        '--memory',
        '1024M',
        '--disk',
        '5G',
      ]),
    );
    expect(await machine.read('/srv/copy')).toBe('tänk\n');
    expect(await machine.size()).toEqual(size);
    expect(await provider.list()).toEqual(['worker']);
    await provider.remove('worker');
    expect(await provider.list()).toEqual([]);
    expect(await cli.list()).toEqual([]);
    await provider.remove('worker');
  });

  test('of another lab has its name before its own', async () => {
    await of('mine').launch(spec);
    expect((await cli.list()).map(({ name }) => name)).toEqual(['mine-worker']);
    expect(await of('mine').list()).toEqual(['worker']);
    expect(await provider.list()).toEqual([]);
  });

  test('tells exit statuses, streams and bytes as they are', async () => {
    const machine = await provider.launch(spec);
    const bytes = Uint8Array.from({ length: 70_000 }, (_, i) => i % 256);
    const said = await machine.run(['cat'], { input: bytes, binary: true });
    expect(Buffer.from(said.stdout, 'latin1').equals(bytes)).toBe(true);
    expect(await machine.attempt(['sh', '-c', 'echo why >&2; exit 2'])).toMatchObject({
      code: 2,
      stderr: 'why\n',
    });
    await expect(machine.run(['sh', '-c', 'exit 2'])).rejects.toThrow('Exit status 2: worker: sh -c exit 2');
  });

  test('ends what runs out of time or is called off', async () => {
    const machine = await provider.launch(spec);
    const left = async (): Promise<string> => (await attempt(['pgrep', '-f', 'sleep 8638[0-9][.]5'])).stdout;
    await expect(machine.run(['sleep', '86385.5'], { within: 500 })).rejects.toThrow(
      'Timed out after 0.5 s: worker: sleep',
    );
    expect(await left()).toBe('');
    const off = new AbortController();
    const ended = expect(
      machine.run(['sh', '-c', 'sleep 86386.5; true'], { signal: off.signal }),
    ).rejects.toThrow('Called off');
    await until('it runs', left, Boolean, { within: 10_000 });
    off.abort();
    await ended;
    expect(await left()).toBe('');
  });

  test('takes files whole', async () => {
    const machine = await provider.launch(spec);
    const local = join(dir, 'file');
    await writeFile(local, Buffer.alloc(3_000_000, 'x'));
    await machine.upload(local, '/srv/a folder/file', { mode: 0o600 });
    expect(
      (await machine.run(['sh', '-c', 'stat -c "%a %s" "/srv/a folder/file"; ls -A /var/tmp/'])).stdout,
    ).toBe('600 3000000\n');
  });

  test('stops, starts and boots again', async () => {
    const machine = await provider.launch(spec);
    await machine.write('/run/passing', '');
    await machine.restart();
    expect((await machine.attempt(['test', '-e', '/run/passing'])).code).toBe(1);
    await machine.stop();
    await expect(machine.run(['true'])).rejects.toThrow('instance "worker" is not running');
    expect(await provider.list()).toEqual(['worker']);
    await machine.start();
    expect((await machine.run(['echo', 'up'])).stdout).toBe('up\n');
  });

  test('that somebody has stopped is not started by a command', async () => {
    const machine = await provider.launch(spec);
    await onPath(['multipass', 'stop', 'worker']);
    const again = multipassMachine(multipass(onPath), 'worker');
    await expect(again.run(['true'])).rejects.toThrow(
      'instance "worker" is not running (Stopped), and exec would start it',
    );
    expect(await cli.list()).toMatchObject([{ state: 'Stopped' }]);
    expect(service.asked.filter(([what]) => what === 'exec').length).toBeGreaterThan(0);
    // as multipass itself does
    expect(await onPath(['multipass', 'exec', 'worker', '--', 'sudo', 'true'])).toMatchObject({ code: 0 });
    expect(await cli.list()).toMatchObject([{ state: 'Running' }]);
    await machine.stop();
    await expect(machine.restart()).rejects.toThrow('not running');
  });

  test('is not overrun by logins', async () => {
    const machine = await provider.launch(spec);
    const said = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => machine.run(['echo', String(n)])),
    );
    expect(said.map(({ stdout }) => Number(stdout))).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });

  test('that is not there is said not to be', async () => {
    await expect(provider.machine('worker').run(['true'])).rejects.toThrow(
      'instance "worker" does not exist',
    );
    await expect(provider.machine('worker').size()).rejects.toThrow('does not run');
  });
});

test('what an instance was given is told by multipass, in its words for amounts', async () => {
  await provider.launch({ name: 'small', size: { cpus: 1, memoryMiB: 768, diskGiB: 5 } });
  expect(await cli.given('small')).toEqual({ cpus: 1, memoryMiB: 768, diskGiB: 5 });
  const saying = (stdout: string) =>
    multipass(async () => Promise.resolve({ stdout, stderr: '', code: 0, ms: 1 }));
  expect(await saying('2').given('any')).toMatchObject({ cpus: 2, memoryMiB: 2 / 1024 ** 2 });
  await expect(saying('plenty').given('any')).rejects.toThrow('a size that is none: plenty');
  const stderr = "get failed: Unrecognized settings key: 'local.any.cpus'";
  const old = multipass(async () => Promise.resolve({ stdout: '', stderr, code: 1, ms: 1 }));
  expect(await old.given('any')).toBeUndefined();
});

describe('an instance that the lab did not make', () => {
  beforeEach(async () => {
    await cli.launch({ image: '24.04', name: 'worker', size, cloudInit: '' }, { within: 20_000 });
  });

  test('is refused, not listed, and not removed', async () => {
    await expect(provider.launch(spec)).rejects.toThrow(
      /^multipass has an instance worker \(Running\) that this lab did not make; .*LAB_NAME/,
    );
    expect(await provider.list()).toEqual([]);
    await provider.remove('worker');
    expect(await cli.list()).toHaveLength(1);
  });

  test('is not purged with those of the lab', async () => {
    await attempt(['true']);
    await onPath(['multipass', 'delete', 'worker']);
    await of('mine').launch(spec);
    await of('mine').remove('worker');
    expect(await cli.list()).toMatchObject([{ name: 'worker', state: 'Deleted' }]);
  });
});

test('those that run are known without the folder of their lab, and by their lab', async () => {
  const mine = of('mine');
  for (const name of ['k3s-master', 'k3s-worker-1']) await mine.launch({ name, size });
  await of('other').launch({ name: 'k3s-worker-2', size });
  await mine.machine('k3s-worker-1').stop();
  await rm(join(dir, 'mine'), { recursive: true });
  const names = ['k3s-master', 'k3s-worker-1', 'k3s-worker-2'];
  expect(await runningInstances('mine', names, cli)).toEqual(['k3s-master']);
});

test('a second launch is refused, and the machine is as it was', async () => {
  const machine = await provider.launch(spec);
  await expect(provider.launch(spec)).rejects.toThrow('Lab conformance has a machine worker already');
  expect((await machine.run(['echo', 'up'])).stdout).toBe('up\n');
});

test('a launch that is called off leaves nothing, although the service goes on with it', async () => {
  service.misbehave.add('delete refuses at first');
  const off = new AbortController();
  const going = provider.launch({ ...spec, firstBoot: { commands: ['sleep 2'] } }, { signal: off.signal });
  const ended = expect(going).rejects.toThrow('Called off');
  await until(
    'it has begun',
    async () => cli.list(),
    (seen) => seen.length > 0,
    { within: 10_000 },
  );
  off.abort();
  await ended;
  expect(await cli.list()).toEqual([]);
  expect(await provider.list()).toEqual([]);
});

describe('an instance whose image is still being prepared', () => {
  const asked = async (): Promise<unknown> =>
    until(
      'it has begun',
      async () => Promise.resolve(service.asked.some(([what]) => what === 'launch')),
      Boolean,
      {
        within: 10_000,
      },
    );
  const launching = { image: '24.04', name: 'mine-worker', size, cloudInit: '' };

  beforeEach(() => {
    service.misbehave.add('image is downloaded first');
  });

  test('is not there for anything but a launch, and comes to be though its client is gone', async () => {
    const off = new AbortController();
    const going = cli.launch(launching, { within: 20_000, signal: off.signal }).catch(() => undefined);
    await asked();
    off.abort();
    await going;
    expect(await cli.info('mine-worker')).toBeUndefined();
    expect(await cli.list()).toEqual([]);
    const second = await onPath(['multipass', 'launch', '--name', 'mine-worker']);
    expect(second).toMatchObject({
      code: 2,
      stderr: 'launch failed: instance "mine-worker" is being prepared\n',
    });
    await until(
      'it is there',
      async () => cli.state('mine-worker'),
      (seen) => seen === 'Running',
      { within: 20_000 },
    );
  });

  test('is removed when its launch is called off', async () => {
    const off = new AbortController();
    const noted: string[] = [];
    const going = of('mine').launch(spec, { signal: off.signal, note: (text) => noted.push(text) });
    const ended = expect(going).rejects.toThrow('Called off');
    await until(
      'it is told',
      async () => Promise.resolve(noted.join()),
      (text) => text.includes('preparing its image'),
      { within: 10_000 },
    );
    off.abort();
    await ended;
    service.misbehave.delete('image is downloaded first');
    expect(await cli.list()).toEqual([]);
    expect(await of('mine').list()).toEqual([]);
    // it was prepared and removed, not only not seen
    await of('mine').launch(spec);
  });

  test('and that somebody else launches is refused, and left alone', async () => {
    const going = cli.launch(launching, { within: 20_000 });
    await asked();
    const ours = of('mine').launch(spec);
    await expect(ours).rejects.toThrow(RefusedError);
    await expect(ours).rejects.toThrow(/^Another launch makes mine-worker .*being prepared.*LAB_NAME/);
    await going;
    expect(await cli.state('mine-worker')).toBe('Running');
    await of('mine').remove('worker');
    expect(await cli.list()).toHaveLength(1);
  });

  test('is removed by the script of a run that was killed', async () => {
    await mkdir(join(dir, 'mine/multipass'), { recursive: true });
    await writeFile(join(dir, 'mine/multipass/worker'), '');
    const script = join(dir, 'mine', 'on-end');
    await writeFile(script, `#!/bin/sh\n${removingAll('mine')}`, { mode: 0o755 });
    const off = new AbortController();
    const going = cli.launch(launching, { within: 20_000, signal: off.signal }).catch(() => undefined);
    await asked();
    off.abort();
    await going;
    expect(await onPath([script])).toMatchObject({ code: 0, stderr: '' });
    expect(await cli.list()).toEqual([]);
    expect(service.asked.some(([what, name]) => what === 'delete' && name === '--purge')).toBe(true);
  });

  test("and outlasts its client's own timer is told with its text and status", async () => {
    const late = await onPath(['multipass', 'launch', '24.04', '--name', 'late', '--timeout', '1']);
    expect(late).toMatchObject({ code: 5, stderr: 'Timed out waiting for instance launch.\n' });
    await expect(cli.launch({ ...launching, name: 'other' }, { within: 1000 })).rejects.toThrow(
      'multipass launch: Timed out waiting for instance launch.',
    );
  });
});

test('a launch that goes on for too long after the instance was made is given up', async () => {
  const own = multipassProvider({
    lab: { name: 'conformance', dir: join(dir, 'conformance') },
    multipass: cli,
    patience: 500,
    grace: 600,
  });
  await expect(own.launch({ ...spec, firstBoot: { commands: ['sleep 4'] } })).rejects.toThrow(
    /launch worker had not ended 1 s after the instance was made/,
  );
  expect(await cli.list()).toEqual([]);
});

test('a first boot that fails fails the launch, and leaves nothing', async () => {
  provider = of('conformance');
  const firstBoot = { commands: ['echo no such package; exit 1'] };
  await expect(provider.launch({ ...spec, firstBoot })).rejects.toThrow(
    'The first boot of worker did not come to its end; cloud-init said last: no such package',
  );
  expect(await cli.list()).toEqual([]);
});

test('what a run that was killed has left is removed by the script beside it, and nothing else', async () => {
  await of('mine').launch(spec);
  await provider.launch({ ...spec, name: 'other' });
  const script = join(dir, 'mine', 'on-end');
  await writeFile(script, `#!/bin/sh\n${removingAll('mine')}`, { mode: 0o755 });
  service.misbehave.add('delete refuses at first');
  const going = cli.launch(
    { image: '24.04', name: 'mine-late', size, cloudInit: '#cloud-config\nruncmd: [[sleep, "2"]]\n' },
    { within: 20_000 },
  );
  await writeFile(join(dir, 'mine/multipass/late'), '');
  await until(
    'it is being made',
    async () => cli.list(),
    (seen) => seen.some(({ name }) => name === 'mine-late'),
    { within: 10_000 },
  );
  expect(await onPath([script])).toMatchObject({ code: 0, stderr: '' });
  await going.catch(() => undefined);
  expect((await cli.list()).map(({ name }) => name)).toEqual(['other']);
});

test('what ends with the lab anyway is not asked for when the service is gone', async () => {
  await of('gone').launch(spec);
  const script = join(dir, 'gone', 'on-end');
  await writeFile(script, `#!/bin/sh\n${removingAll('gone', { backedHere: true })}`, { mode: 0o755 });
  const { code } = await attempt([script], { env: { PATH: '/usr/bin:/bin' }, within: 5_000 });
  expect(code).toBe(0);
  expect((await cli.list()).map(({ name }) => name)).toContain('gone-worker');
  expect(await onPath([script])).toMatchObject({ code: 0 });
  expect(await cli.list()).toEqual([]);
});

describe('a node', () => {
  test('is launched by its first start, and has its programs in the background', async () => {
    const [plan] = nodePlans({ sizes: { master: size, worker: size, vm: size } });
    if (!plan) return;
    const node = multipassNode(provider, plan, plan.name, join(dir, 'node'));
    await node.start();
    expect(await provider.list()).toEqual([plan.name]);
    expect((await node.run(['sh', '-c', 'echo $PATH'])).stdout).toMatch(/^\/opt\/kubernetes:/);
    expect(node.onHost('/var')).toBeUndefined();
    await node.stop();
    await node.start();
    expect(service.asked.filter(([what]) => what === 'launch')).toHaveLength(1);
    expect(node.enter()).toEqual(expect.arrayContaining(['multipass', 'exec', plan.name]));
  });
});

test('what the image of the VM lacks is installed in its first boot, and nothing else', async () => {
  const folder = join(dir, 'bin');
  await mkdir(folder);
  const has = async (...programs: string[]): Promise<void> => {
    for (const program of programs) await writeFile(join(folder, program), '#!/bin/sh\n', { mode: 0o755 });
  };
  await writeFile(join(folder, 'apt-get'), `#!/bin/sh\necho "$@" >>${dir}/apt\n`, { mode: 0o755 });
  const boot = async (): Promise<void> => {
    for (const command of vmFirstBoot.commands ?? [])
      await run(['/bin/sh', '-ec', command], { env: { PATH: folder } });
  };
  await has('systemctl', 'curl', 'ip', 'iptables', 'openssl', 'python3', 'sudo');

  await boot();
  expect((await readFile(join(dir, 'apt'), 'utf8')).trim().split('\n').at(-1)).toMatch(
    / install --yes --no-install-recommends bind9-dnsutils systemd-resolved$/,
  );

  await has('dig', 'resolvectl');
  await rm(join(dir, 'apt'));
  await boot();
  expect(exists(join(dir, 'apt'))).toBe(false);
});

test('on instances that are folders it does nothing to this host', async () => {
  const fake = join(dir, 'fake');
  await mkdir(fake);
  for (const program of ['apt-get', 'systemctl'])
    await writeFile(join(fake, program), `#!/bin/sh\necho "$0" >>${dir}/done\n`, { mode: 0o755 });
  const own = folders(join(dir, 'own'));
  await own.launch('any', size);
  const streams = { input: Readable.from([]), out: () => undefined, err: () => undefined };
  for (const command of vmFirstBoot.commands ?? [])
    await own.exec('any', ['/usr/bin/env', `PATH=${fake}`, '/bin/sh', '-ec', command], streams);
  expect(exists(join(dir, 'done'))).toBe(false);
});

test('the VM is made anew by launching another', async () => {
  const vm = multipassVm(provider, { name: 'vm', size }, join(dir, 'vm'));
  await vm.start();
  await vm.write('/srv/old', '');
  await vm.anew();
  expect((await vm.attempt(['test', '-e', '/srv/old'])).code).toBe(1);
  await vm.remove();
  expect(await provider.list()).toEqual([]);
});

describe('when multipass misbehaves', () => {
  test.each([
    'launch gives up',
    'notice before JSON',
    'no way in at first',
    'service starts anew',
    'exec without input hangs',
  ] as const)('(%s) a machine comes up all the same', async (misbehaviour) => {
    service.misbehave.add(misbehaviour);
    const machine = await provider.launch(spec);
    expect((await machine.run(['echo', 'up'])).stdout).toBe('up\n');
    await machine.restart();
    expect((await machine.run(['cat'])).stdout).toBe('');
    expect(await provider.list()).toEqual(['worker']);
    await provider.remove('worker');
    expect(await cli.list()).toEqual([]);
  });

  test('a launch that hangs ends at its deadline, and the machine is used', async () => {
    service.misbehave.add('launch hangs');
    const machine = await multipassProvider({
      lab: { name: 'conformance', dir: join(dir, 'conformance') },
      multipass: { ...cli, launch: async (plan) => multipass(hurried).launch(plan, { within: 60_000 }) },
      patience: 5000,
    }).launch(spec);
    expect((await machine.run(['echo', 'up'])).stdout).toBe('up\n');
  });

  test('a launch that hangs is not waited for when the machine has booted', async () => {
    service.misbehave.add('launch hangs');
    const machine = await multipassProvider({
      lab: { name: 'conformance', dir: join(dir, 'conformance') },
      multipass: cli,
      grace: 200,
    }).launch(spec);
    expect((await machine.run(['echo', 'up'])).stdout).toBe('up\n');
  });
  /** Nobody waits for half a minute in a test. */
  const hurried: Run = async (words, options) => onPath(words, { ...options, within: 1500 });

  test('a launch that gave up in vain says both, and leaves nothing', async () => {
    service.misbehave.add('launch gives up in vain');
    provider = multipassProvider({
      lab: { name: 'conformance', dir: join(dir, 'conformance') },
      multipass: cli,
      patience: 5000,
    });
    await expect(provider.launch(spec)).rejects.toThrow(
      /timed out waiting for response\nThe instance is of no use: .*it is Unknown at no address/s,
    );
    expect(await cli.list()).toEqual([]);
  });

  test('a restart that is given up and was done counts as done', async () => {
    const machine = await provider.launch(spec);
    service.misbehave.add('restart gives up');
    await machine.restart();
    await machine.stop();
    await machine.start();
    expect((await machine.run(['echo', 'up'])).stdout).toBe('up\n');
  });

  test('a restart that did nothing is told', async () => {
    const machine = await provider.launch(spec);
    service.misbehave.add('restart does nothing');
    await expect(machine.restart()).rejects.toThrow('said it was done, and the machine did not boot again');
  });

  test('a command whose end was lost did not end well', async () => {
    const machine = await provider.launch(spec);
    service.misbehave.add('exec loses its end');
    await expect(machine.run(['sh', '-c', 'sleep 1'])).rejects.toThrow(
      'Its end was not seen, and the way to worker ended with status 0',
    );
  });

  test('a file that arrived in part is no file', async () => {
    const machine = await provider.launch(spec);
    service.misbehave.add('transfer is cut');
    const local = join(dir, 'file');
    await writeFile(local, 'twelve bytes');
    await expect(machine.upload(local, '/srv/file')).rejects.toThrow('only 6 of 12 bytes of');
    expect((await machine.run(['sh', '-c', 'ls -A /srv/ /var/tmp/'])).stdout).not.toContain('file');
  });

  test('an address of the boot before is not believed', async () => {
    const machine = await provider.launch(spec);
    service.misbehave.add('old address');
    await machine.restart();
    expect((await cli.info('worker'))?.ipv4).toEqual(['10.42.0.1', '192.0.2.1']);
    expect(await machine.address()).toBe('192.0.2.2');
  });
});

describe('a multipass that cannot be used is refused before anything is made', () => {
  test('as there is none', async () => {
    const none = multipass(attempt, 'no-such-multipass');
    await expect(none.version()).rejects.toThrow(RefusedError);
    await expect(none.version()).rejects.toThrow('There is no multipass on PATH');
  });

  test('as the client is not authenticated', async () => {
    service.misbehave.add('not authenticated');
    await expect(provider.launch(spec)).rejects.toThrow(
      /^multipass list: list failed: The client is not authenticated.*`(sudo )?multipass authenticate` once/s,
    );
    expect(await onPath(['multipass', 'version', '--format', 'json'])).toMatchObject({
      code: 0,
      stdout: '{"multipass":"1.15.1"}',
    });
  });

  test('as its socket may not be opened', async () => {
    service.misbehave.add('no access');
    await expect(cli.version()).rejects.toThrow(
      /multipass socket access denied.*add this user to that group/,
    );
  });

  test('as its service is away, which version does not tell', async () => {
    const answers: Record<string, string> = { version: '{"multipass": "1.15.1"}', list: '{"list": []}' };
    const answering = multipass(async ([, what = '']) =>
      Promise.resolve({ stdout: answers[what] ?? '', stderr: '', code: 0, ms: 1 }),
    );
    await expect(answering.version()).rejects.toThrow(RefusedError);
    await expect(answering.version()).rejects.toThrow('multipass 1.15.1 tells no version of its service');
    const away = await attempt(['multipass', 'version'], {
      env: { MULTIPASS_STAND_IN: '/nowhere', PATH: `${clientFolder}:${process.env['PATH'] ?? ''}` },
    });
    expect(away).toMatchObject({ code: 0, stdout: '{"multipass": "1.15.1"}\n' });
  });

  test('as it is too old', async () => {
    const old = multipass(async () =>
      Promise.resolve({
        stdout: '{"multipass": "1.16.0", "multipassd": "1.12.2"}',
        stderr: '',
        code: 0,
        ms: 1,
      }),
    );
    await expect(old.version()).rejects.toThrow('multipass 1.12.2 is too old: 1.13 or newer is needed.');
    service.misbehave.add('old version');
    await expect(provider.launch(spec)).rejects.toThrow(RefusedError);
    expect(await provider.list()).toEqual([]);
  });

  test('as it says no JSON', async () => {
    const mute = multipass(async () =>
      Promise.resolve({ stdout: 'all is well', stderr: '', code: 0, ms: 1 }),
    );
    await expect(mute.list()).rejects.toThrow('multipass list was asked for JSON and said: all is well');
  });
});

describe('snapshots', () => {
  test('are taken of a stopped machine, counted and gone back to', async () => {
    const machine = await provider.launch(spec);
    await machine.write('/srv/state', 'before');
    await machine.stop();
    await cli.snapshot('worker', 'clean');
    await machine.start();
    await machine.write('/srv/state', 'after');
    await machine.stop();
    await cli.restore('worker', 'clean');
    await machine.start();
    expect(await machine.read('/srv/state')).toBe('before');
    expect(await cli.info('worker')).toMatchObject({ state: 'Running', snapshots: 1 });
    await expect(cli.snapshot('worker', 'other')).rejects.toThrow('only take snapshots of stopped instances');
  });
});
