import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import { messageOf } from '#lib/base/errors.ts';
import type { Size } from '#lib/base/settings.ts';
import type { Backend } from './backend.ts';
import { cloudInit } from './cloud-init.ts';
import type { Misbehaviour } from './misbehaviour.ts';
import { serve, type Call } from './serve.ts';

/** The folder with the client, to be put on PATH. */
export const clientFolder = join(import.meta.dirname, 'bin');

export interface StandIn {
  /** The environment in which the client finds this service. */
  env: { MULTIPASS_STAND_IN: string };
  /** What it does wrong; may be changed at any time. */
  misbehave: Set<Misbehaviour>;
  /** The words of every command it was given. */
  asked: string[][];
  /** Ends it, and removes the instances that are left. */
  close(): Promise<void>;
}

interface Instance {
  state: 'Starting' | 'Running' | 'Stopped' | 'Deleted' | 'Unknown';
  size: Size;
  /** What is told of its addresses. */
  ipv4: string[];
  snapshots: string[];
  /** How many commands since it was booted. */
  commands: number;
  /** Its first boot, as long as that is at work: before cloud-init. */
  booting?: Promise<void>;
}

/** What ends a command as multipass does when it says no: text on standard error, status 2. */
class No extends Error {}

/** Of a selection of instances, as `info` and `delete` have one. */
const wrapped = (text: string): No => new No(`The following errors occurred:\n${text}`);

/** How long an image and a disk take to prepare, in milliseconds. */
const preparing = { always: 100, misbehaving: 4000 };

/**
 * The service of a stand-in for multipass 1.15: it speaks multipass's command line and JSON, has its manners (errors
 * are plain text, a launch goes on when its client is gone and is not seen while its image is prepared, `exec` starts
 * what does not run), and backs instances with whatever it is given.
 *
 * @param dir where its socket is put
 */
export async function standIn(dir: string, backend: Backend): Promise<StandIn> {
  const instances = new Map<string, Instance>();
  const misbehave = new Set<Misbehaviour>();
  const asked: string[][] = [];
  /** The commands at which the service was away. */
  const met = new Set<string>();
  let refusals = 0;

  /** Names whose image and disk are being prepared. */
  const prepared = new Set<string>();

  const find = (name = ''): Instance => {
    const found = instances.get(name);
    if (!found) throw new No(`instance "${name}" does not exist`);
    return found;
  };
  const selected = (name = ''): Instance => {
    if (!instances.has(name)) throw wrapped(`instance "${name}" does not exist`);
    return find(name);
  };
  const running = (name = ''): Instance => {
    const found = find(name);
    if (found.state === 'Running') return found;
    throw new No(`instance "${name}" is ${found.state === 'Deleted' ? 'deleted' : 'not running'}`);
  };
  const start = async (name: string): Promise<void> => {
    const instance = selected(name);
    if (instance.state === 'Deleted') throw wrapped(`instance "${name}" is deleted`);
    if (instance.state === 'Running') return;
    if (instance.booting) {
      await instance.booting;
      return;
    }
    await backend.start(name);
    await booted(name, instance, true);
  };
  const booted = async (name: string, instance: Instance, again: boolean): Promise<void> => {
    const address = await backend.address(name);
    instance.state = 'Running';
    instance.commands = 0;
    instance.ipv4 = again && misbehave.has('old address') ? ['10.42.0.1', ...instance.ipv4] : [address];
  };
  const version = (): string => (misbehave.has('old version') ? '1.12.2' : '1.15.1');
  const givesUp = (name: string): No =>
    new No(`The following errors occurred:\n${name}: timed out waiting for response`);

  const commands: Readonly<Record<string, (words: string[], call: Call) => Promise<number | undefined>>> = {
    async version(words, { say }) {
      const [client, service] = [version(), version()];
      if (words.includes('json')) say(JSON.stringify({ multipass: client, multipassd: service }));
      else say(`multipass   ${client}\nmultipassd  ${service}\n`);
      return Promise.resolve(0);
    },
    async list(_, { say }) {
      const list = [...instances].map(([name, { state, ipv4 }]) => ({
        ipv4: state === 'Running' ? ipv4 : [],
        name,
        release: 'Ubuntu 24.04 LTS',
        state,
      }));
      say(JSON.stringify({ list }));
      return Promise.resolve(0);
    },
    async info(words, { say }) {
      const [name = ''] = words;
      const { state, ipv4, snapshots } = selected(name);
      const on = state === 'Running' && !words.includes('--no-runtime-information');
      const size = on ? await backend.size(name) : undefined;
      const info = {
        cpu_count: size ? String(size.cpus) : '',
        disks: size ? { sda1: { total: String(Math.round(size.diskGiB * 1024 ** 3)), used: '0' } } : {},
        ipv4: on ? ipv4 : [],
        memory: size ? { total: Math.round(size.memoryMiB * 1024 ** 2), used: 0 } : {},
        mounts: {},
        snapshot_count: String(snapshots.length),
        state,
      };
      say(JSON.stringify({ errors: [], info: { [name]: info } }));
      return 0;
    },
    async get([key = ''], { say }) {
      const [, name = '', what = ''] = /^local\.(.*)\.(cpus|memory|disk)$/.exec(key) ?? [];
      if (!what) throw new No(`Unrecognized settings key: '${key}'`);
      const { cpus, memoryMiB, diskGiB } = find(name).size;
      const gib = (amount: number): string => `${amount.toFixed(1)}GiB`;
      const memory = memoryMiB < 1024 ? `${memoryMiB.toFixed(1)}MiB` : gib(memoryMiB / 1024);
      say(`${{ cpus: String(cpus), memory, disk: gib(diskGiB) }[what] ?? ''}\n`);
      return Promise.resolve(0);
    },
    async set([assignment = ''], _) {
      const [, name = '', what = '', value = ''] =
        /^local\.(.*)\.(cpus|memory|disk)=(.*)$/.exec(assignment) ?? [];
      if (!what) throw new No(`Unrecognized settings key: '${assignment}'`);
      const cannot = (reason: string): No =>
        new No(`Cannot update instance settings; instance: ${name}; reason: ${reason}`);
      if (prepared.has(name)) throw cannot('instance is being prepared');
      const state = instances.get(name)?.state;
      if (state === undefined) throw cannot('No such instance');
      if (state === 'Deleted') throw cannot('Instance is deleted');
      if (state !== 'Stopped') throw cannot('Instance must be stopped for modification');
      throw new No(`Invalid setting '${assignment}': the stand-in changes no ${what} to ${value}`);
    },
    async launch(words, { input, say }) {
      const text = { type: 'string' } as const;
      const options = { name: text, cpus: text, memory: text, disk: text, timeout: text, 'cloud-init': text };
      const { values } = parseArgs({ args: words, options, allowPositionals: true });
      const name = values.name ?? 'primary';
      if (instances.has(name)) throw new No(`instance "${name}" already exists`);
      if (prepared.has(name)) throw new No(`instance "${name}" is being prepared`);
      prepared.add(name);
      const data = values['cloud-init'] === '-' ? await buffer(input) : Buffer.alloc(0);
      const size = {
        cpus: Number(values.cpus ?? 1),
        memoryMiB: Number((values.memory ?? '1024M').replace(/M$/, '')),
        diskGiB: Number((values.disk ?? '5G').replace(/G$/, '')),
      };
      const instance: Instance = { state: 'Starting', size, ipv4: [], snapshots: [], commands: 0 };
      say(`Creating ${name}\n`);
      await after(misbehave.has('image is downloaded first') ? preparing.misbehaving : preparing.always);
      prepared.delete(name);
      instances.set(name, instance);
      if (misbehave.has('launch gives up in vain')) {
        instance.state = 'Unknown';
        throw givesUp(name);
      }
      instance.booting = backend.launch(name, size);
      say(`Starting ${name}\n`);
      try {
        await instance.booting;
        delete instance.booting;
        await cloudInit(backend, name, data.toString());
        if (instances.get(name) !== instance) throw new Error(`instance "${name}" was deleted`);
        await booted(name, instance, false);
      } catch (error) {
        instance.state = 'Unknown';
        throw new No(messageOf(error));
      } finally {
        delete instance.booting;
      }
      if (misbehave.has('launch gives up'))
        throw new No('The following errors occurred:\ntimed out waiting for initialization to complete');
      if (misbehave.has('launch hangs')) return undefined;
      say(`Launched: ${name}\n`);
      return 0;
    },
    async exec(words, { input, inputIs, streams }) {
      const [name = '', dashes, ...rest] = words;
      if (dashes !== '--') throw new No('the words of the command come after --');
      const instance = find(name);
      if (instance.state === 'Deleted') throw new No(`instance "${name}" is deleted`);
      if (instance.state === 'Unknown') throw new No('Cannot retrieve credentials in unknown state');
      await start(name);
      instance.commands += 1;
      if (misbehave.has('exec without input hangs') && inputIs !== 'pipe') return undefined;
      if (misbehave.has('no way in at first') && instance.commands <= 1)
        throw new No(`ssh connection failed: 'Failed to connect: No route to host'`);
      const command = rest[0] === 'sudo' ? rest.slice(1) : ['runuser', '-u', 'ubuntu', '--', ...rest];
      const going = backend.exec(name, command, { ...streams, input });
      if (misbehave.has('exec loses its end')) return 0;
      return going;
    },
    async transfer(words, { input }) {
      const [from, to = ''] = words;
      const [name = '', path = ''] = to.split(':');
      running(name);
      if (from !== '-') throw new No(`the stand-in reads standard input only, not ${from ?? ''}`);
      const content = await buffer(input);
      const most = misbehave.has('transfer is cut') ? Math.floor(content.length / 2) : content.length;
      await backend.put(name, path, content.subarray(0, most)).catch((error: unknown) => {
        throw new No(`[sftp] cannot open remote file "${path}": ${messageOf(error)}`);
      });
      return 0;
    },
    async stop([name = '']) {
      const instance = selected(name);
      if (instance.state === 'Running') await backend.stop(name);
      instance.state = 'Stopped';
      return 0;
    },
    async start([name = '']) {
      await start(name);
      if (misbehave.has('restart gives up')) throw givesUp(name);
      return 0;
    },
    async restart([name = '']) {
      const instance = selected(name);
      if (instance.state !== 'Running')
        throw new No(
          `Instance '${name}' is already running, but in an unknown state.\nTry to stop and start it instead.`,
        );
      if (misbehave.has('restart does nothing')) return 0;
      await backend.restart(name);
      await booted(name, instance, true);
      if (misbehave.has('restart gives up')) throw givesUp(name);
      return 0;
    },
    async delete(words) {
      const name = words.find((word) => !word.startsWith('-')) ?? '';
      const instance = selected(name);
      if (instance.state === 'Starting' && refusals < 3 && misbehave.has('delete refuses at first')) {
        refusals += 1;
        throw new No(`instance "${name}" is starting`);
      }
      await instance.booting?.catch(() => undefined);
      if (instance.state === 'Running') await backend.stop(name);
      instance.state = 'Deleted';
      if (!words.includes('--purge')) return 0;
      await backend.remove(name);
      instances.delete(name);
      return 0;
    },
    async purge() {
      for (const [name, { state }] of instances) {
        if (state !== 'Deleted') continue;
        await backend.remove(name);
        instances.delete(name);
      }
      return 0;
    },
    async snapshot(words, { say }) {
      const { values, positionals } = parseArgs({
        args: words,
        options: { name: { type: 'string' } },
        allowPositionals: true,
      });
      const [name = ''] = positionals;
      const instance = find(name);
      if (instance.state !== 'Stopped')
        throw new No('Multipass can only take snapshots of stopped instances.');
      const label = values.name ?? `snapshot${String(instance.snapshots.length + 1)}`;
      if (instance.snapshots.includes(label)) throw new No(`Snapshot already exists: ${name}.${label}`);
      if (!backend.snapshot) throw new No('snapshots are not supported by this backend');
      await backend.snapshot(name, label);
      instance.snapshots.push(label);
      say(`Snapshot taken: ${name}.${label}\n`);
      return 0;
    },
    async restore([which = '']) {
      const [name = '', label = ''] = which.split('.');
      const instance = find(name);
      if (!instance.snapshots.includes(label)) throw new No(`No such snapshot: ${which}`);
      await backend.restore?.(name, label);
      return 0;
    },
  };

  const answer = async (words: string[], call: Call): Promise<number | undefined> => {
    const [name = '', ...rest] = words;
    asked.push(words);
    const fail = (text: string): number => {
      // `version` is never refused: then it tells of the client alone
      if (name === 'version')
        call.say(
          rest.includes('json') ? JSON.stringify({ multipass: version() }) : `multipass   ${version()}\n`,
        );
      else call.streams.err(Buffer.from(`${text}\n`));
      return name === 'version' ? 0 : 2;
    };
    if (misbehave.has('service starts anew') && !met.has(name)) {
      met.add(name);
      return fail('cannot connect to the multipass socket');
    }
    if (misbehave.has('not authenticated'))
      return fail(
        `${name} failed: The client is not authenticated with the Multipass service.\nPlease use 'multipass authenticate' before proceeding.`,
      );
    if (misbehave.has('no access')) return fail('multipass socket access denied');
    const command = commands[name];
    if (!command) return fail(`Unknown command: ${name}`);
    const asJson = rest.includes('json');
    if (asJson && misbehave.has('notice before JSON'))
      call.say('A new version 1.16.0 of Multipass is available\n\n');
    const going = command(rest, call).catch((error: unknown) => fail(`${name} failed: ${messageOf(error)}`));
    const timer = name === 'launch' ? Number(rest[rest.indexOf('--timeout') + 1]) : Number.NaN;
    return Number.isNaN(timer) ? going : Promise.race([going, timedOut(timer, call)]);
  };

  const clients = new Set<Socket>();
  const server = createServer((client) => {
    clients.add(client);
    client.on('close', () => clients.delete(client));
    serve(client, answer);
  });
  const path = join(dir, 'multipass.sock');
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, resolve);
  });
  return {
    env: { MULTIPASS_STAND_IN: path },
    misbehave,
    asked,
    close: async () => {
      for (const client of clients) client.destroy();
      server.close();
      for (const [name, { booting }] of instances) {
        await booting?.catch(() => undefined);
        await backend.remove(name);
      }
    },
  };
}

const after = async (ms: number): Promise<unknown> => once(AbortSignal.timeout(ms), 'abort');

/** The client's own timer, over all of a launch. The service knows nothing of it. */
async function timedOut(seconds: number, { streams }: Call): Promise<number> {
  await after(seconds * 1000);
  streams.err(Buffer.from('Timed out waiting for instance launch.\n'));
  return 5;
}
